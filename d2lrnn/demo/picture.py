"""Save the visible page as a PNG file, in the browser.

The script traverses the page, including shadow roots, and paints each element at its position:
backgrounds, borders, canvases and text. No data leave the browser.
"""

SCRIPT = """
const root = document.body, size = document.documentElement
const width = size.scrollWidth, height = Math.max(size.scrollHeight, root.scrollHeight)
const sharp = Math.min(2, 8000 / Math.max(width, height))
const canvas = document.createElement("canvas")
canvas.width = width * sharp; canvas.height = height * sharp
const ctx = canvas.getContext("2d")
ctx.scale(sharp, sharp)
ctx.translate(window.scrollX, window.scrollY)
const seen = (colour) => colour && colour != "transparent" && !/, 0\\)$/.test(colour)

function write(text, box, style, middle) {
  ctx.fillStyle = style.color
  ctx.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`
  ctx.textBaseline = "middle"
  ctx.textAlign = middle ? "center" : "left"
  const pad = parseFloat(style.paddingLeft) || 0
  ctx.fillText(text, middle ? box.x + box.width / 2 : box.x + pad, box.y + box.height / 2)
}
function letters(node, style) {  // word by word, at the positions in the browser
  const range = document.createRange(), words = /\\S+/g
  for (let found; (found = words.exec(node.data)); ) {
    range.setStart(node, found.index)
    range.setEnd(node, found.index + found[0].length)
    const boxes = range.getClientRects()
    if (boxes.length == 1) { write(found[0], boxes[0], {...font(style)}, false); continue }
    for (let i = 0; i < found[0].length; i++) {  // a word that is divided between lines
      range.setStart(node, found.index + i)
      range.setEnd(node, found.index + i + 1)
      const box = range.getClientRects()[0]
      if (box) write(found[0][i], box, {...font(style)}, false)
    }
  }
}
const font = (style) => ({color: style.color, fontStyle: style.fontStyle, paddingLeft: "0",
  fontWeight: style.fontWeight, fontSize: style.fontSize, fontFamily: style.fontFamily})
function paint(node) {
  if (node.nodeType == Node.TEXT_NODE) {
    if (node.parentElement ?? node.getRootNode().host)
      letters(node, getComputedStyle(node.parentElement ?? node.getRootNode().host))
    return
  }
  if (node.nodeType != Node.ELEMENT_NODE) return
  if (["STYLE", "SCRIPT", "NOSCRIPT", "OPTION", "TEMPLATE"].includes(node.tagName)) return
  const style = getComputedStyle(node), box = node.getBoundingClientRect()
  if (style.display == "none" || style.visibility == "hidden") return
  if (seen(style.backgroundColor)) {
    ctx.fillStyle = style.backgroundColor
    ctx.fillRect(box.x, box.y, box.width, box.height)
  }
  const line = parseFloat(style.borderTopWidth)
  if (line > 0 && style.borderTopStyle != "none" && box.width && seen(style.borderTopColor)) {
    ctx.strokeStyle = style.borderTopColor
    ctx.lineWidth = line
    ctx.strokeRect(box.x + line / 2, box.y + line / 2, box.width - line, box.height - line)
  }
  if (node.tagName == "CANVAS") {
    if (node.width && node.height) ctx.drawImage(node, box.x, box.y, box.width, box.height)
    return
  }
  if (node.tagName == "SELECT") write(node.selectedOptions[0]?.text ?? "", box, style, false)
  else if (node.tagName == "INPUT") write(node.value, box, style, false)
  else if (node.tagName == "TEXTAREA") {
    const lines = node.value.split("\\n"), tall = parseFloat(style.lineHeight) || 20
    lines.slice(0, Math.floor(box.height / tall)).forEach((text, i) =>
      write(text, {x: box.x, width: box.width, y: box.y + 4 + i * tall, height: tall}, style))
  }
  const children = node.shadowRoot ? node.shadowRoot.childNodes : node.childNodes
  for (const child of children) {
    if (child.tagName == "SLOT") child.assignedNodes().forEach(paint)
    else paint(child)
  }
}
ctx.fillStyle = "white"
ctx.fillRect(0, 0, width, height)
paint(root)
canvas.toBlob((blob) => {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = `d2lrnn-${new URLSearchParams(location.search).get("view") ?? "train"}.png`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10000)
}, "image/png")
"""
