/** The photos among what was dropped or chosen, with the folders that they lie in. */

const PHOTO_ENDING = /\.(jpe?g|png|webp|avif|heic|heif|gif|bmp)$/i;

/**
 * Walk dropped files and folders.
 * @param {DataTransfer} dropped its entries are gone after the event: call this before anything is awaited.
 * @returns {Promise<{photos: {name: string, file: File}[], others: number}>} others: files that are no photos.
 */
export async function readDropped(dropped) {
  const entries = [...dropped.items].filter(({ kind }) => kind === "file").map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const found = [];
  for (const each of entries) {
    if (each instanceof File) found.push({ name: each.name, file: each });
    else await walk(each, found);
  }
  return sort(found);
}

/** The same for what an input field took. */
export function readChosen(files) {
  return sort([...files].map((file) => ({ name: file.webkitRelativePath || file.name, file })));
}

function sort(found) {
  const photos = found.filter(({ name, file }) => PHOTO_ENDING.test(name) || file.type.startsWith("image/"));
  photos.sort((one, other) => (one.name < other.name ? -1 : 1));
  return { photos, others: found.length - photos.length };
}

async function walk(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ name: entry.fullPath.replace(/^\//, ""), file });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const page = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!page.length) return;
    for (const each of page) await walk(each, found);
  }
}
