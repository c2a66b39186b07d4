-- A GIF becomes a film with a play and a stop button. Stopped, it shows its last frame, the PNG of the same name.
-- styles.css has its looks; the script in _quarto.yml starts films where the reader has not asked for less motion.
local entities = {["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;"}

local function film(image)
  if not image or image.t ~= "Image" or not image.src:match("%.gif$") or not quarto.doc.is_format("html") then return nil end
  local alt = (image.attributes["fig-alt"] or pandoc.utils.stringify(image.caption)):gsub('[&<>"]', entities)
  local still = image.src:gsub("%.gif$", ".png")
  return pandoc.RawBlock("html", '<details class="film"><summary><span class="play">▶ play</span><span class="pause">■ stop</span>'
    .. '<img class="still" src="' .. still .. '" alt="' .. alt .. ' (last frame)"></summary>'
    .. '<img src="' .. image.src .. '" loading="lazy" alt="' .. alt .. '"></details>')
end

local function only(block) return block and #block.content == 1 and block.content[1] end

function Para(block) return film(only(block)) end
function Figure(figure) return film(only(only(figure))) end
