/** Pictures that are followed: target, X and Z beside each other. */
import { FollowView } from "../following/follow.js";

class FollowPictures extends FollowView {
  constructor(view) {
    super(view, { id: "invert-follow", tab: "invert", shown: "picture", what: "PSNR (dB)" });
    this.images = new Map(); // by their data, decoded once
    this.listen();
  }

  showTarget(index) {
    this.#draw("target", this.run.begin.pictures[index]);
  }

  showLane(row, picture) {
    this.#draw(row, picture);
  }

  #draw(frame, data) {
    if (this.of !== this.run) this.images.clear(); // those of another clip
    this.of = this.run;
    const canvas = this.canvases[frame];
    const { side } = this.run.begin;
    if (canvas.width !== side) canvas.width = canvas.height = side;
    canvas.wanted = data;
    if (!data) {
      canvas.getContext("2d").clearRect(0, 0, side, side);
      return;
    }
    if (!this.images.has(data)) {
      const image = new Image();
      image.src = `data:image/webp;base64,${data}`;
      this.images.set(data, image.decode().then(() => image));
    }
    this.images.get(data).then((image) => canvas.wanted === data && canvas.getContext("2d").drawImage(image, 0, 0));
  }

  reading(value) {
    return value === null ? "not finite" : `${value.toFixed(1)} dB`;
  }
}

export function mount(view) {
  return new FollowPictures(view);
}
