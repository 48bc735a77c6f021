// Certainty as pattern, made at run time: no image is fetched. Possible is hatched.

/** A tile of slanting lines in `colour` on nothing, `size` pixels wide, which fits to itself on all sides. */
export function hatch(colour, size = 8, width = 2.4) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size * 2;
  const pen = canvas.getContext("2d");
  pen.scale(2, 2);
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  for (const shift of [-size, 0, size]) {
    pen.beginPath();
    pen.moveTo(shift - 1, size + 1);
    pen.lineTo(shift + size + 1, -1);
    pen.stroke();
  }
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}
