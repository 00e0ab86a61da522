if (!window.fercoreFigures && HTMLElement.prototype.showPopover) {
  window.fercoreFigures = true
  const MENU = `
    <button type="button" title="Save this figure">
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="M8 2v8m-3.5-3.5L8 10l3.5-3.5M2.5 10.5v3h11v-3"/>
      </svg>
    </button>
    <div popover>
      <button type="button" autofocus>Numbers as CSV</button>
      <button type="button">Picture as PNG</button>
      <button type="button">Copy link to this page</button>
      <p role="status"></p>
    </div>`

  const made = (name, properties) => Object.assign(document.createElement(name), properties)
  const theme = () => getComputedStyle(document.querySelector('[data-testid="stApp"]'))
  // What a label says, without its marks.
  const words = label => new DOMParser().parseFromString(
    String(label ?? "").replace(/<br *\/?>/g, " "), "text/html").body.textContent.trim()
  // A figure is Plotly's, or an SVG that holds its numbers: see `accuracy_svg`.
  const FIGURE = '.js-plotly-plot, [class*="st-key-figure-"] img[src^="data:image/svg"]'
  const titleOf = plot => plot.layout?.meta?.title || plot.alt?.split(":")[0]
    || plot.closest("[aria-label]")?.getAttribute("aria-label") || "Figure"

  // An axis: what it is called, and how a value is read on it, as its own marks say.
  const axisOf = (plot, trace, letter) => {
    const name = (trace[`${letter}axis`] ?? letter).replace(letter, `${letter}axis`)
    const axis = plot._fullLayout[name] ?? {}
    const suffix = (axis.ticksuffix ?? "").trim()
    const title = words(plot.layout[name]?.title?.text)
    const number = axis.tickmode === "array" && axis.ticktext
      ? marked(axis.tickvals, axis.ticktext.map(words)) : value => value
    return { title: title && !title.includes(suffix) ? `${title}, ${suffix}` : title,
      domain: axis.domain ?? [0, 1],
      read: value => typeof value === "string" ? words(value) : number(value) }
  }
  // Places that are numbered are read by their names; others in the unit of their marks.
  const marked = (places, names) => {
    if (places.every((place, index) => place === index))
      return value => names[Math.round(value)] ?? value
    const unit = Number(names.at(-1)) / places.at(-1)
    return value => Number.isFinite(unit) ? value * unit : value
  }
  // A panel's name: an annotation above the middle of its axes, or beside it.
  const panelOf = (plot, x, y) => {
    const middle = ([low, high]) => (low + high) / 2
    const near = (one, other) => Math.abs(one - other) < 1e-3
    const name = plot._fullLayout.annotations?.find(note =>
      note.xref === "paper" && note.yref === "paper" && (
        near(note.x, middle(x.domain)) && near(note.y, y.domain[1])
        || note.x >= x.domain[1] && near(note.y, middle(y.domain))))
    return words(name?.text.split("<br")[0])
  }

  const shown = trace => trace.visible === true && trace.mode !== "none"
    && trace.marker?.color !== "rgba(0,0,0,0)"  // it takes clicks
  // Where a trace's points lie; the value of a cell; and the data of each.
  const points = trace => {
    const at = (values, index) => values ? values[index] : index
    const cells = (row, i) => Array.from(row, (value, j) =>
      ({ x: at(trace.x, j), y: at(trace.y, i), value, data: trace.customdata?.[i]?.[j] }))
    const all = trace.z ? Array.from(trace.z).flatMap(cells)
      : Array.from({ length: trace._length }, (_, index) => (
        { x: at(trace.x, index), y: at(trace.y, index), index, data: trace.customdata?.[index] }))
    return all.filter(({ x, y, value }) => [x, y].every(it => it !== null && !Number.isNaN(it))
      && (!trace.z || Number.isFinite(value)))
  }
  const end = (one, letter, point, sign) => {
    const error = one.trace[`error_${letter}`]
    if (!error?.visible || !error.array) return ""
    const reach = sign > 0 || error.symmetric ? error.array : error.arrayminus
    return one[letter].read(point[letter] + sign * reach[point.index])
  }
  // Of a point's data, one that its trace names.
  const told = ({ trace }, { data }, name) => {
    const place = trace.meta?.columns?.indexOf(name) ?? -1
    return place < 0 ? "" : typeof data === "object" ? data?.[place] : data
  }
  const table = plot => {
    const traces = plot._fullData.map((trace, index) => ({ trace, name: plot.data[index]?.name }))
      .filter(({ trace, name }) => shown(trace) && (name || trace.hoverinfo !== "skip"))
      .map(one => ({ ...one, x: axisOf(plot, one.trace, "x"), y: axisOf(plot, one.trace, "y") }))
    const titles = letter => [...new Set(traces.map(one => one[letter].title).filter(Boolean))]
    const axes = ["x", "y"], several = axes.filter(letter => titles(letter).length > 1)
    const panel = one => [panelOf(plot, one.x, one.y), ...several.map(letter => one[letter].title)]
      .filter(Boolean).join(", ")
    const named = { x: titles("x").join(" or ") || "x", y: titles("y").join(" or ") || "y",
      value: words(traces.find(one => one.trace.z)?.name), ...plot.layout.meta?.columns }
    const own = [...new Set(traces.flatMap(one => one.trace.meta?.columns ?? []))].filter(Boolean)
    const columns = [
      ["panel", panel],
      ["trace", one => one.trace.z ? "" : words(one.name)],
      ...axes.flatMap(letter => [
        [named[letter], (one, point) => one[letter].read(point[letter])],
        [named[letter] && `${named[letter]} low`, (one, point) => end(one, letter, point, -1)],
        [named[letter] && `${named[letter]} high`, (one, point) => end(one, letter, point, 1)],
      ]),
      [named.value, (_, { value }) => value],
      ...own.map(name => [name, (one, point) => told(one, point, name)]),
    ]
    const rows = traces.flatMap(one => points(one.trace)
      .map(point => columns.map(([, read]) => read(one, point))))
    const filled = columns.map(([name], k) => name && rows.some(row => (row[k] ?? "") !== ""))
    return [columns.map(([name]) => name), ...rows].map(row => row.filter((_, k) => filled[k]))
  }
  const cell = value => {
    if (value == null || Number.isNaN(value)) return ""
    if (typeof value === "number") return String(Number(value.toPrecision(12)))
    if (typeof value !== "string") return String(value)
    const formula = FORMULA.includes(value[0]) && !Number.isFinite(Number(value))
    return `"${formula ? "'" : ""}${value.replaceAll('"', '""')}"`
  }
  const csv = async plot => {
    if (plot.layout) return table(plot).map(row => `${row.map(cell).join(",")}\n`).join("")
    const file = await (await fetch(plot.src)).text()
    return new DOMParser().parseFromString(file, "text/xml").querySelector("metadata").textContent
  }

  // A picture is drawn apart from the page, and knows of its fonts what is given along.
  const withFile = async rule => {
    const [, url] = rule.cssText.match(/url\("?([^")]+)/)
    const answer = await fetch(new URL(url, rule.parentStyleSheet.href ?? location))
    const reader = new FileReader()
    reader.readAsDataURL(await answer.blob())
    await new Promise(done => reader.onload = done)
    return rule.cssText.replace(url, reader.result)
  }
  const fontsOf = async family => {
    const rules = [...document.styleSheets]
      .flatMap(sheet => { try { return [...sheet.cssRules] } catch { return [] } })
      .filter(rule => rule instanceof CSSFontFaceRule && rule.style.fontStyle !== "italic"
        && family.includes(rule.style.fontFamily.replaceAll('"', "")))
    return (await Promise.all(rules.map(withFile))).join("")
  }
  const drawn = async (layer, fonts) => {
    const copy = layer.cloneNode(true)
    copy.querySelector(".hoverlayer")?.remove()
    copy.insertAdjacentHTML("afterbegin", `<style>${fonts}</style>`)
    const source = encodeURIComponent(new XMLSerializer().serializeToString(copy))
    const picture = made("img", { src: `data:image/svg+xml;charset=utf-8,${source}` })
    await picture.decode()
    return picture
  }
  const wrapped = (pen, title, width) => title.split(" ").reduce((rows, word) => {
    const longer = `${rows.at(-1)} ${word}`.trim()
    return pen.measureText(longer).width <= width
      ? [...rows.slice(0, -1), longer] : [...rows, word]
  }, [""])
  const png = async plot => {
    const { fontFamily, color, backgroundColor } = theme()
    const { width, height } = plot.getBoundingClientRect()
    const canvas = made("canvas"), pen = canvas.getContext("2d")
    const font = `600 16px ${fontFamily}`
    pen.font = font
    const title = wrapped(pen, titleOf(plot), width - 16), top = 16 + 22 * title.length
    Object.assign(canvas, { width: 2 * width, height: 2 * (top + height) })
    pen.scale(2, 2)
    pen.fillStyle = backgroundColor
    pen.fillRect(0, 0, width, top + height)
    Object.assign(pen, { fillStyle: color, font })
    title.forEach((line, row) => pen.fillText(line, 8, 26 + 22 * row))
    const fonts = await fontsOf(fontFamily)
    const layers = plot.querySelectorAll(".main-svg, canvas:not(.gl-canvas-pick)")
    for (const layer of layers.length ? layers : [plot]) {
      const picture = layer.matches("canvas, img") ? layer : await drawn(layer, fonts)
      pen.drawImage(picture, 0, top, width, height)
    }
    return new Promise(done => canvas.toBlob(done))
  }

  const save = (blob, title, kind) => {
    const name = title.replace(/[^\p{L}\p{N}_.@-]+/gu, "-").replace(/^-|-$/g, "")
    const link = made("a", { href: URL.createObjectURL(blob), download: `${name}.${kind}` })
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
  }
  // By plain http a page has no clipboard, but a field that is selected can be copied from.
  const copied = menu => {
    const field = made("textarea", { value: location.href })
    menu.append(field)
    field.select()
    const done = document.execCommand("copy")
    field.remove()
    return done ? "Copied" : "Not copied: take it from the address bar"
  }
  const ITEMS = {
    "Numbers as CSV": async plot =>
      save(new Blob([await csv(plot)], { type: "text/csv" }), titleOf(plot), "csv"),
    "Picture as PNG": async plot => save(await png(plot), titleOf(plot), "png"),
    "Copy link to this page": (plot, menu) => copied(menu),
  }

  const menuFor = () => {
    const place = made("div", { className: "figure-menu", innerHTML: MENU })
    const [button, ...items] = place.querySelectorAll("button")
    const menu = place.querySelector("[popover]"), status = place.querySelector("[role=status]")
    button.popoverTargetElement = menu
    menu.onbeforetoggle = () => {
      status.textContent = ""
      menu.style.background = theme().backgroundColor  // dialogs have none of their own to inherit
    }
    menu.addEventListener("focusout", ({ relatedTarget: next }) => {
      if (next && !menu.contains(next)) menu.hidePopover()
    })
    for (const item of items) item.onclick = async () => {
      try {
        const plot = place.parentElement.querySelector(FIGURE)
        status.textContent = await ITEMS[item.textContent](plot, menu) ?? ""
      } catch (error) {
        console.error(error)
        status.textContent = "This did not work here"
      }
      status.textContent ? item.focus() : menu.hidePopover()
    }
    return place
  }
  // React draws figures anew as it likes, and knows nothing of these menus.
  const look = () => {
    for (const menu of document.querySelectorAll(".figure-menu"))
      if (!menu.parentElement.querySelector(FIGURE)) menu.remove()
    for (const plot of document.querySelectorAll(FIGURE)) {
      const place = plot.closest('[class*="st-key-figure-"], [class*="st-key-wide-"]')
      if (!place || !(plot.layout || plot.alt)) continue
      if (!place.querySelector(":scope > .figure-menu")) place.prepend(menuFor())
      const name = `Save this figure: ${titleOf(plot)}`
      const button = place.querySelector(".figure-menu > button")
      if (button.ariaLabel !== name) button.ariaLabel = name
    }
  }
  let due = null
  new MutationObserver(() => due ??= setTimeout(() => { due = null; look() }, 100))
    .observe(document.body, { childList: true, subtree: true })
  addEventListener("keydown", key => {  // not also the dialog that the figure is in
    if (key.key === "Escape" && document.querySelector(".figure-menu :popover-open"))
      key.stopImmediatePropagation()
  }, true)
}
