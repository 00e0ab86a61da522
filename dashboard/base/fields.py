"""What a browser does with a field that is being written in."""

# What is written goes to the app when the field is left. Escape closes a dialog around a field that
# has not been left, and what was written would be lost with it.
LEFT_BY_ESCAPE = """<script>
if (!window.fercoreFields) {
  window.fercoreFields = true
  const leave = key => {
    const field = document.activeElement
    if (key.key === "Escape" && field.matches('[role="dialog"] :is(textarea, input)')) field.blur()
  }
  addEventListener("keydown", leave, true)
}
</script>"""
