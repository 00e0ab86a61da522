"""What the Tab key stops at: the menus once, so that a page's own controls come soon."""

# The bar at the top, from what folds the sidebar to the main menu, is one stop; the arrow keys go
# through it, as in any toolbar. The page itself, which Streamlit makes a stop so that keys scroll
# it, is none: they do that from whatever is reached in it, and the link that skips to it still
# does. All is settled when Tab is pressed: Streamlit draws its menus anew as it likes.
MENUS_ONCE = """<script>
if (!window.fercoreTabs) {
  window.fercoreTabs = true
  const bar = '[data-testid="stTopNav"] :is(a[href], button), [data-testid="stMainMenuButton"],'
    + '[data-testid="stSidebarCollapseButton"] button, [data-testid="stExpandSidebarButton"]'
  const items = () => [...document.querySelectorAll(bar)].filter(
    one => !one.closest("[inert]") && getComputedStyle(one).visibility === "visible")
  let last = null
  const settle = () => {
    const all = items(), stop = all.includes(last) ? last
      : all.find(one => one.closest('[data-testid="stTopNav"]')) ?? all[0]
    for (const one of all) {
      one.tabIndex = one === stop ? 0 : -1
      one.setAttribute("aria-keyshortcuts", "ArrowLeft ArrowRight")
    }
    const page = document.querySelector('[data-testid="stMain"]')
    if (page) page.tabIndex = -1
  }
  const go = key => {
    const all = items(), at = all.indexOf(document.activeElement)
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[key.key]
    if (at < 0 || to === undefined) return
    key.preventDefault()
    last = all.at(to % all.length)
    last.focus()
  }
  addEventListener("keydown", key => key.key === "Tab" ? settle() : go(key), true)
  addEventListener("focusin", event => { if (items().includes(event.target)) last = event.target })
}
</script>"""
