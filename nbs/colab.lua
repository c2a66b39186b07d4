-- A link to run the chapter on Colab, from the repository that settings.ini names (nbdev writes it into the website's metadata).
function Pandoc(doc)
  if not quarto.doc.is_format("html") then return nil end
  local site = doc.meta.website
  local url = site and site["repo-url"] and pandoc.utils.stringify(site["repo-url"])
  local name = quarto.doc.input_file:match("([^/\\]+)%.ipynb$")
  if not url or not name then return nil end
  local colab = url:gsub("^https://github.com", "https://colab.research.google.com/github") .. "/blob/main/nbs/" .. name .. ".ipynb"
  table.insert(doc.blocks, 1, pandoc.Para({pandoc.Link("Run this chapter on Colab", colab), pandoc.Str(" · "), pandoc.Link("see the notebook", url .. "/blob/main/nbs/" .. name .. ".ipynb")}))
  return doc
end
