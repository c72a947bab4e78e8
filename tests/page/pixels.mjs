// pixels.mjs - what a screenshot shows, in figures
import { inflateSync } from 'node:zlib';

// The bytes of a PNG as a browser writes it: 8 bits, RGB or RGBA, not interlaced.
export function decode(png) {
  const width = png.readUInt32BE(16);
  const height = png.readUInt32BE(20);
  const n = png[25] === 6 ? 4 : 3;
  if (png[24] !== 8 || ![2, 6].includes(png[25]) || png[28] !== 0) throw new Error('a PNG of another kind');
  const parts = [];
  for (let at = 8; at < png.length;) {
    const size = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + size));
    at += size + 12;
  }
  const raw = inflateSync(Buffer.concat(parts));
  const row = width * n;
  const out = Buffer.alloc(row * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (row + 1)];
    for (let x = 0; x < row; x++) {
      const left = x >= n ? out[y * row + x - n] : 0;
      const up = y > 0 ? out[(y - 1) * row + x] : 0;
      const corner = x >= n && y > 0 ? out[(y - 1) * row + x - n] : 0;
      let add = 0;
      if (filter === 1) add = left;
      else if (filter === 2) add = up;
      else if (filter === 3) add = (left + up) >> 1;
      else if (filter === 4) {
        const p = left + up - corner;
        const [a, b, c] = [Math.abs(p - left), Math.abs(p - up), Math.abs(p - corner)];
        add = a <= b && a <= c ? left : b <= c ? up : corner;
      }
      out[y * row + x] = raw[y * (row + 1) + 1 + x] + add;
    }
  }
  return { width, height, at: (x, y) => [0, 1, 2].map((i) => out[(y * width + x) * n + i]) };
}

const linear = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);

// WCAG 2: from 1 to 21.
export function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

// Colours of a part of the picture and how many pixels have them, most first.
export function colours(picture, { x, y, width, height }) {
  const found = new Map();
  for (let j = Math.max(0, Math.round(y)); j < Math.min(picture.height, Math.round(y + height)); j++)
    for (let i = Math.max(0, Math.round(x)); i < Math.min(picture.width, Math.round(x + width)); i++) {
      const key = picture.at(i, j).join();
      found.set(key, (found.get(key) ?? 0) + 1);
    }
  return [...found].map(([key, n]) => ({ colour: key.split(',').map(Number), n })).sort((a, b) => b.n - a.n);
}

// How well text or lines are told from what is behind them, the colour most pixels have unless it is given. The best
// pixels count, for edges are mixed with what is behind; at least `least` must be as good as that.
export function legible(picture, box, least = 12, behind = null) {
  const all = colours(picture, box);
  const ground = behind ?? all[0].colour;
  const ranked = all.map(({ colour, n }) => ({ n, ratio: contrast(colour, ground) })).sort((a, b) => b.ratio - a.ratio);
  let seen = 0;
  for (const { n, ratio } of ranked) {
    seen += n;
    if (seen >= least) return ratio;
  }
  return 1;
}

// Pixels that stand out by 3 : 1 or more from what was there before.
export function changed(before, after) {
  let n = 0;
  for (let y = 0; y < before.height; y++)
    for (let x = 0; x < before.width; x++)
      if (contrast(before.at(x, y), after.at(x, y)) >= 3) n++;
  return n;
}
