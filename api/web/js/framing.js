/** Where a face is seen when a photo fills a square. */

/**
 * Choose the part of a photo that a square shows, with a face as far in it as the photo allows.
 * @param {number} width of the photo, in any unit.
 * @param {number} height in the same.
 * @param {number[]} box [x, y, width, height] of the face, as fractions of the photo.
 * @returns {{position: string, box: Object<string, string>}} `object-position`, and the face's place in the square.
 */
export function frameFace(width, height, [x, y, w, h]) {
  const shorter = Math.min(width, height);
  const across = width / shorter;
  const down = height / shorter;
  const left = place((x + w / 2) * across, across);
  const top = place((y + h / 2) * down, down);
  return {
    position: `${share(left, across)}% ${share(top, down)}%`,
    box: boxStyle([x * across - left, y * down - top, w * across, h * down]),
  };
}

/** Write a box of fractions as CSS lengths. */
export function boxStyle([x, y, w, h]) {
  return { left: `${x * 100}%`, top: `${y * 100}%`, width: `${w * 100}%`, height: `${h * 100}%` };
}

function place(centre, room) {
  return Math.min(Math.max(centre - 0.5, 0), room - 1);
}

function share(start, room) {
  return room > 1 ? (100 * start) / (room - 1) : 50;
}
