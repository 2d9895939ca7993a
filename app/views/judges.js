import { explain } from "./glossary.js";

/** What judges that were not optimised say of every lane, as a table with what each head means; hidden where there is nothing. */
export function showJudges(table, judges) {
  table.hidden = !judges;
  if (!judges) return;
  const head = document.createElement("tr");
  head.append(cell("th", "Lane"), ...judges.heads.map(([words, title]) => Object.assign(cell("th", words), { title })));
  table.tHead.replaceChildren(head);
  table.tBodies[0].replaceChildren(...Object.entries(judges.rows).map(([lane, values]) => {
    const row = document.createElement("tr");
    row.append(cell("th", lane), ...values.map((value, i) => cell("td", value, judges.best[i] === lane ? "best" : "")));
    return row;
  }));
  explain(table);
}

function cell(kind, text, className = "") {
  return Object.assign(document.createElement(kind), { textContent: text, className });
}
