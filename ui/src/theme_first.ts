// SPDX-License-Identifier: MIT
//
// theme_first.ts: the chosen theme, set before anything is painted.
// Without a choice the style sheet follows the system by itself.
try {
  const chosen = localStorage.getItem("gowtf.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // a browser that keeps nothing: the system's theme
}
