// A photo -> uint8 pixels -> the ONNX model of whole cartoons -> a canvas. All in this page.
import * as ort from "./ort/ort.wasm.min.mjs";

const photo = document.getElementById("photo");
const side = document.getElementById("side");
const status = document.getElementById("status");
const canvas = document.getElementById("cartoon");
const save = document.getElementById("save");

ort.env.wasm.wasmPaths = new URL("./ort/", import.meta.url).href;
ort.env.wasm.numThreads = 1; // more need headers that a plain file server does not send

let session;

async function start() {
  const card = await (await fetch("card.json")).json();
  document.getElementById("licence").textContent = [card.title, `licence ${card.licence}`, card.source].join("; ");
  session = await ort.InferenceSession.create("model.onnx", { executionProviders: ["wasm"] });
  photo.disabled = false;
  status.textContent = "Ready.";
}

// Pixels of a picture, its transparency on white, its short side at most `short`.
async function pixelsOf(file, short) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, short / Math.min(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  const rgba = context.getImageData(0, 0, width, height).data;
  const rgb = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    rgb[to++] = rgba[from];
    rgb[to++] = rgba[from + 1];
    rgb[to++] = rgba[from + 2];
  }
  return { rgb, width, height };
}

async function draw(file) {
  photo.disabled = true;
  status.textContent = "Drawing…";
  await new Promise(requestAnimationFrame); // so that this is seen
  try {
    const { rgb, width, height } = await pixelsOf(file, Number(side.value));
    const began = performance.now();
    const { cartoon } = await session.run({ photo: new ort.Tensor("uint8", rgb, [1, height, width, 3]) });
    const seconds = (performance.now() - began) / 1000;
    const image = new ImageData(width, height);
    for (let from = 0, to = 0; from < cartoon.data.length; to += 4) {
      image.data[to] = cartoon.data[from++];
      image.data[to + 1] = cartoon.data[from++];
      image.data[to + 2] = cartoon.data[from++];
      image.data[to + 3] = 255;
    }
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d").putImageData(image, 0, 0);
    canvas.hidden = save.hidden = false;
    URL.revokeObjectURL(save.href);
    save.href = URL.createObjectURL(await new Promise((done) => canvas.toBlob(done)));
    status.textContent = `Done: ${width} x ${height} pixels in ${seconds.toFixed(1)} s.`;
  } catch (error) {
    status.textContent = `This file could not be drawn (${error.message ?? error}).`;
  }
  photo.disabled = false;
}

photo.addEventListener("change", () => photo.files.length && draw(photo.files[0]));
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("over");
});
document.addEventListener("dragleave", () => document.body.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file && !photo.disabled) draw(file);
});

start().catch((error) => { status.textContent = `The generator could not be loaded (${error.message ?? error}).`; });
