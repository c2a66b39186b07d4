-- After rendering: Quarto gives every page that shows a table require.js and jQuery from another host (which one changes
-- with its version). Nothing here needs them, nor any other script that isn't the site's own.
for path in (os.getenv("QUARTO_PROJECT_OUTPUT_FILES") or ""):gmatch("[^\n]+") do
  local file = io.open(path)
  if file and path:match("%.html$") then
    local page = file:read("a")
    file:close()
    page = page:gsub('<script src="https?://[^>]*></script>%s*', "")
    page = page:gsub("<script type=\"application/javascript\">define%('jquery'[^<]*</script>%s*", "")
    file = assert(io.open(path, "w"))
    file:write(page)
    file:close()
  end
end
