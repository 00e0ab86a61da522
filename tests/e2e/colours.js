// The colour of chosen options and of the names of A and B, and of what lies behind them, mixed.
() => {
  const channels = colour => colour.match(/[\d.]+/g).map(Number);
  const hex = rgb =>
    '#' + rgb.slice(0, 3).map(v => Math.round(v).toString(16).padStart(2, '0')).join('');
  const behind = element => {
    const layers = [];
    for (let e = element; e; e = e.parentElement)
      layers.unshift(channels(getComputedStyle(e).backgroundColor));
    return layers.reduce(
      (below, [r, g, b, a = 1]) => below.map((v, k) => v * (1 - a) + [r, g, b][k] * a),
      [255, 255, 255]);
  };
  const chosen = document.querySelectorAll(
    '[role=radio][aria-checked=true] p, .st-key-a label p, .st-key-b label p, ' +
    '[data-testid=stMain] .stMarkdownColoredText');
  return [...chosen].map(e =>
    [e.textContent, [hex(channels(getComputedStyle(e).color)), hex(behind(e))]]);
}
