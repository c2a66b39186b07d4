-- Links to run the chapter on Colab and to see the notebook, and the repository's address in place of $GIT_URL.
-- The address comes from settings.ini, through the nbdev.yml that nbdev writes.
local function repository()
  local file = io.open(pandoc.path.join({quarto.project.directory or ".", "nbdev.yml"}))
  local text = file and file:read("a") or ""
  if file then file:close() end
  return text:match('repo%-url: "([^"]+)"')
end

local url = repository()

function CodeBlock(block)
  if url then block.text = block.text:gsub("%$GIT_URL", url) end
  return block
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
