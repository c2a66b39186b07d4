-- Addresses in place of $GIT_URL (the repository) and $SITE_URL.
-- They come from settings.ini, through the nbdev.yml that nbdev writes.
local function setting(name)
  local file = io.open(pandoc.path.join({quarto.project.directory or ".", "nbdev.yml"}))
  local text = file and file:read("a") or ""
  if file then file:close() end
  return text:match(name .. ': "([^"]+)"')
end

local url, site = setting("repo%-url"), setting("site%-url")

function CodeBlock(block)
  if url then block.text = block.text:gsub("%$GIT_URL", url) end
  return block
end

function Link(link)
  if site then link.target = link.target:gsub("%$SITE_URL", site) end
  return link
end
