// Texts that overlap or leave their figure, numbers broken over two lines, a page that is too wide.
() => {
  const root = document.documentElement;
  const found = {sideways: root.scrollWidth - root.clientWidth, overlaps: [], cut: [], broken: []};
  const main = document.querySelector('[data-testid=stMain]');
  const texts = '.gtitle, .annotation-text, .xtick text, .ytick text, .legendtext, ' +
    '[class$=title] text, text[class$=title]';
  for (const plot of main.querySelectorAll('.js-plotly-plot')) {
    const edge = plot.getBoundingClientRect();
    const boxes = [...new Set(plot.querySelectorAll(texts))]
      .filter(text => text.textContent.trim())
      .map(text => [text.textContent, text.getBoundingClientRect()])
      .filter(([, box]) => box.width);
    boxes.forEach(([text, a], index) => {
      if (a.left < edge.left - 1 || a.right > edge.right + 1) found.cut.push(text);
      for (const [other, b] of boxes.slice(index + 1)) {
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (wide > 2 && high > 2) found.overlaps.push(`${text} | ${other}`);
      }
    });
  }
  const elsewhere = 'svg, style, script, code, [data-testid=stDataFrame]';
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    if (node.parentElement.closest(elsewhere)) continue;
    for (const match of node.textContent.matchAll(/[+−-]?\d[\d.,:\u2009\u202f]*(\u00a0%)?/g)) {
      const range = document.createRange();
      range.setStart(node, match.index);
      range.setEnd(node, match.index + match[0].length);
      if (new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1)
        found.broken.push(node.textContent.slice(Math.max(0, match.index - 20), match.index + 20));
    }
  }
  return found;
}
