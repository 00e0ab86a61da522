"""What the Tab key stops at: the menus once, so that a page's own controls come soon."""

from dashboard.base.keys import FINISHED, RETRAIN

# The bar at the top, from what folds the sidebar to the main menu, is one stop; the arrow keys go
# through it, as in any toolbar. So are the cards of finished trainings with the panel that starts
# one. The page itself, which Streamlit makes a stop so that keys scroll it, is none: they do that
# from whatever is reached in it, and the link that skips to it still does. All is settled when Tab
# is pressed: Streamlit draws its menus anew as it likes.
_SCRIPT = """<script>
if (!window.fercoreTabs) {
  window.fercoreTabs = true
  const bar = {
    stops: '[data-testid="stTopNav"] :is(a[href], button), [data-testid="stMainMenuButton"],'
      + '[data-testid="stSidebarCollapseButton"] button, [data-testid="stExpandSidebarButton"]',
    first: '[data-testid="stTopNav"] *', steps: { ArrowLeft: -1, ArrowRight: 1 }, last: null,
  }
  const trainings = {
    stops: '.st-key-FINISHED :is(button, summary), .st-key-RETRAIN > * > details > summary',
    first: '*', steps: { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }, last: null,
  }
  const groups = [bar, trainings]
  const items = group => [...document.querySelectorAll(group.stops)].filter(
    one => !one.closest("[inert]") && one.checkVisibility({ visibilityProperty: true }))
  const settle = () => {
    for (const group of groups) {
      const all = items(group), stop = all.includes(group.last) ? group.last
        : all.find(one => one.matches(group.first)) ?? all[0]
      const keys = Object.keys(group.steps).join(" ")
      for (const one of all) {
        one.tabIndex = one === stop ? 0 : -1
        if (all.length > 1) one.setAttribute("aria-keyshortcuts", keys)
      }
    }
    const page = document.querySelector('[data-testid="stMain"]')
    if (page) page.tabIndex = -1
  }
  const go = key => {
    const group = groups.find(one => items(one).includes(document.activeElement))
    if (!group) return
    const all = items(group), at = all.indexOf(document.activeElement)
    const step = group.steps[key.key]
    const to = step ? at + step : { Home: 0, End: -1 }[key.key]
    if (to === undefined || all.length < 2) return
    key.preventDefault()
    group.last = all.at(to % all.length)
    group.last.focus()
  }
  addEventListener("keydown", key => key.key === "Tab" ? settle() : go(key), true)
  addEventListener("focusin", event => {
    for (const group of groups) if (items(group).includes(event.target)) group.last = event.target
  })
}
</script>"""
MENUS_ONCE = _SCRIPT.replace("FINISHED", FINISHED).replace("RETRAIN", RETRAIN)
