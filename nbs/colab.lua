-- Links to run the chapter on Colab and to see the notebook, and addresses in place of $GIT_URL (the repository) and $SITE_URL.
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

function Pandoc(doc)
  local name = quarto.doc.input_file:match("([^/\\]+)%.ipynb$")
  if not url or not name or name == "index" or not quarto.doc.is_format("html") then return nil end
  local notebook = url .. "/blob/main/nbs/" .. name .. ".ipynb"
  local colab = notebook:gsub("^https://github.com", "https://colab.research.google.com/github")
  local links = {pandoc.Link("Run this chapter on Colab", colab), pandoc.Str(" · "), pandoc.Link("see the notebook", notebook)}
  table.insert(doc.blocks, 1, pandoc.Div(pandoc.Para(links), {class = "chapter-links"}))
  return doc
end
