// SPDX-License-Identifier: MIT
//
// ansi.ts: the colours of a terminal as classes, never as markup.
//
// Source: ECMA-48 select graphic rendition, with the 256 and direct colours of
// ISO 8613-6. Everything else a terminal would obey is left out; a carriage
// return in the middle of a line shows what was written last.

export interface Piece {
  text: string;
  classes: string;
  fg?: string;
  bg?: string;
}

interface Pen {
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  strike: boolean;
  inverse: boolean;
  fg: string;
  bg: string;
}
const PLAIN: Pen = { bold: false, dim: false, italic: false, underline: false, strike: false, inverse: false, fg: "", bg: "" };

// CSI, OSC (ended by BEL or ST), two-character escapes
const ESCAPE = /\x1b(?:\[([0-9;:]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])/g;

const STEPS = [0, 95, 135, 175, 215, 255];
function palette(n: number): string {
  if (n < 16) return String(n);
  if (n < 232) {
    const v = n - 16;
    return `rgb(${STEPS[Math.floor(v / 36)]} ${STEPS[Math.floor(v / 6) % 6]} ${STEPS[v % 6]})`;
  }
  const g = 8 + 10 * (n - 232);
  return `rgb(${g} ${g} ${g})`;
}

/** The colour that begins at `at` of "38;5;N" or "38;2;R;G;B", and how many numbers it took. */
function direct(codes: number[], at: number): [string, number] {
  if (codes[at + 1] === 5) return [palette((codes[at + 2] ?? 0) & 255), 2];
  if (codes[at + 1] === 2) return [`rgb(${codes.slice(at + 2, at + 5).map((c) => c & 255).join(" ")})`, 4];
  return ["", 0];
}

function paint(pen: Pen, codes: number[]): Pen {
  let p = { ...pen };
  for (let i = 0; i < codes.length; i++) {
    const c = codes[i]!;
    if (c === 0) p = { ...PLAIN };
    else if (c === 1) p.bold = true;
    else if (c === 2) p.dim = true;
    else if (c === 3) p.italic = true;
    else if (c === 4) p.underline = true;
    else if (c === 7) p.inverse = true;
    else if (c === 9) p.strike = true;
    else if (c === 22) p.bold = p.dim = false;
    else if (c === 23) p.italic = false;
    else if (c === 24) p.underline = false;
    else if (c === 27) p.inverse = false;
    else if (c === 29) p.strike = false;
    else if (c >= 30 && c <= 37) p.fg = String(c - 30);
    else if (c >= 90 && c <= 97) p.fg = String(c - 82);
    else if (c >= 40 && c <= 47) p.bg = String(c - 40);
    else if (c >= 100 && c <= 107) p.bg = String(c - 92);
    else if (c === 39) p.fg = "";
    else if (c === 49) p.bg = "";
    else if (c === 38 || c === 48) {
      const [colour, took] = direct(codes, i);
      i += took;
      if (c === 38) p.fg = colour;
      else p.bg = colour;
    }
  }
  return p;
}

function piece(text: string, pen: Pen): Piece {
  const [fg, bg] = pen.inverse ? [pen.bg || "0", pen.fg || "7"] : [pen.fg, pen.bg];
  const classes = [pen.bold && "b", pen.dim && "d", pen.italic && "i", pen.underline && "u", pen.strike && "s"].filter(Boolean) as string[];
  const out: Piece = { text, classes: "" };
  if (fg && !fg.startsWith("rgb")) {
    classes.push(`f${Number(fg) % 8}`);
    if (Number(fg) > 7 && !pen.bold) classes.push("b");
  } else if (fg) out.fg = fg;
  if (bg && !bg.startsWith("rgb")) classes.push(`g${Number(bg) % 8}`);
  else if (bg) out.bg = bg;
  out.classes = classes.join(" ");
  return out;
}

const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g;
const visible = (s: string) =>
  s.replace(CONTROL, (c) => (c === "\x7f" ? "\u2421" : String.fromCharCode(0x2400 + c.charCodeAt(0))));

export function ansi(line: string): Piece[] {
  let text = line.endsWith("\r") ? line.slice(0, -1) : line;
  const back = text.lastIndexOf("\r");
  if (back >= 0) text = text.slice(back + 1);
  if (!text.includes("\x1b")) return [{ text: visible(text), classes: "" }];
  const out: Piece[] = [];
  let pen = PLAIN;
  let at = 0;
  const push = (to: number) => {
    if (to > at) out.push(piece(visible(text.slice(at, to)), pen));
  };
  for (const m of text.matchAll(ESCAPE)) {
    push(m.index!);
    at = m.index! + m[0].length;
    if (m[2] === "m") pen = paint(pen, (m[1] || "0").split(/[;:]/).map(Number));
  }
  push(text.length);
  return out;
}
