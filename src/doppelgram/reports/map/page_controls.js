  function whole() {
    const room = 34, low = [Math.min(...x.filter((_, i) => visible(i))), Math.min(...y.filter((_, i) => visible(i)))];
    const high = [Math.max(...x.filter((_, i) => visible(i))), Math.max(...y.filter((_, i) => visible(i)))];
    if (!isFinite(low[0])) return;
    const wide = Math.max(high[0] - low[0], 1e-6), tall = Math.max(high[1] - low[1], 1e-6);
    fit = Math.min((width - 2 * room) / wide, (height - 2 * room) / tall);
    view = { scale: fit, left: (width - fit * (low[0] + high[0])) / 2, top: (height - fit * (low[1] + high[1])) / 2 };
    refresh();
  }

  function zoom(factor, a = width / 2, b = height / 2) {
    const scale = Math.min(fit * 200, Math.max(fit * .5, view.scale * factor)), f = scale / view.scale;
    view = { scale, left: a - (a - view.left) * f, top: b - (b - view.top) * f };
    refresh();
  }

  function goTo(px, py, least) {
    const scale = Math.max(view.scale, fit * least);
    view = { scale, left: width / 2 - px * scale, top: height / 2 - py * scale };
    refresh();
  }

  function resize() {
    const box = canvas.getBoundingClientRect(), first = width === 1, before = [width, height];
    ratio = Math.max(1, window.devicePixelRatio || 1);
    width = box.width; height = box.height;
    canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio);
    if (first || Math.abs(view.scale - fit) < 1e-9) whole();
    else { view.left += (width - before[0]) / 2; view.top += (height - before[1]) / 2; refresh(); }
  }

  function at(a, b) {
    let best = -1, least = Math.max(10, markRadius() + 4, pictures ? tileSide() / 2 : 0) ** 2;
    for (let i = 0; i < count; i++) {
      if (!visible(i)) continue;
      const d = (sx(i) - a) ** 2 + (sy(i) - b) ** 2;
      // On top lies what is strong; of equally near marks it is the one that is seen.
      if (d < least || (d === least && best >= 0 && strong(i) && !strong(best))) { least = d; best = i; }
    }
    return best;
  }

  const make = (tag, text, kind) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (kind) node.className = kind;
    return node;
  };
  const named = (c) => classes[c].name || "no label";

  function thumbnail(i) {
    const image = make("canvas");
    image.width = image.height = data.side;
    picture(image.getContext("2d"), i, 0, 0, data.side);
    return image;
  }

  function fill(i) {
    card.replaceChildren();
    const head = make("div", undefined, "head"), text = make("div");
    if (sheets.length) head.append(thumbnail(i));
    text.append(make("h2", named(label[i])), make("p", parts[part[i]].name, "quiet"), make("p", names[i], "quiet"));
    if (predicted[i] >= 0) {
      const said = wrong[i] ? "Predicted: " + named(predicted[i])
        : predicted[i] === label[i] ? "Predicted right" : "Predicted: " + named(predicted[i]);
      text.append(make("p", said, wrong[i] ? "verdict bad" : "verdict"));
    }
    head.append(text);
    const list = make("ol");
    near[i].forEach((j, k) => {
      const item = make("li", undefined, label[j] === label[i] ? "" : "other");
      if (sheets.length) item.append(thumbnail(j));
      const name = make("span", named(label[j]));
      item.title = named(label[j]) + ", " + names[j];
      item.append(name, make("span", far[i][k].toFixed(2), "quiet"));
      list.append(item);
    });
    card.append(head, make("h3", "Nearest in the embedding space, with distances"), list);
  }

  function show(i) {
    card.hidden = i < 0;
    card.classList.toggle("held", i >= 0 && i === held);
    if (i >= 0) {
      fill(i);
      const box = card.getBoundingClientRect(), a = sx(i), b = sy(i);
      const left = a + 22 + box.width < width ? a + 22 : a - 22 - box.width;
      card.style.left = Math.max(8, Math.min(left, width - box.width - 8)) + "px";
      card.style.top = Math.max(8, Math.min(b - box.height / 3, height - box.height - 8)) + "px";
    }
    refresh();
  }

  function light(c) {
    lit = c;
    for (const [k, button] of buttons.entries()) button.classList.toggle("lit", k === c);
    refresh();
  }
  const settle = () => light(fixed);

  function point(i) {
    if (i === hovered) return;
    hovered = i;
    canvas.classList.toggle("over", i >= 0);
    if (held < 0) { show(i); light(i >= 0 ? label[i] : fixed); }
  }

  function hold(i) {
    held = i;
    show(i >= 0 ? i : hovered);
    light(i >= 0 ? label[i] : fixed);
    if (i >= 0) buttons[label[i]].scrollIntoView({ block: "nearest" });
  }

  const bad = [];
  for (let i = 0; i < count; i++) if (wrong[i]) bad.push(i);
  function step(by) {
    const there = bad.filter(visible);
    if (!there.length) return;
    const now = there.indexOf(held), next = there[now < 0 ? (by > 0 ? 0 : there.length - 1) : (now + by + there.length) % there.length];
    goTo(x[next], y[next], 2.5);
    hold(next);
  }

  // The pointer.
  let grip = null;
  const where = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  canvas.addEventListener("pointerdown", (event) => {
    const [a, b] = where(event);
    grip = { a, b, left: view.left, top: view.top, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const [a, b] = where(event);
    if (!grip) { point(at(a, b)); return; }
    if (Math.hypot(a - grip.a, b - grip.b) > 3) grip.moved = true;
    if (!grip.moved) return;
    canvas.classList.add("moving");
    view.left = grip.left + a - grip.a; view.top = grip.top + b - grip.b;
    if (held >= 0) show(held); else { point(-1); refresh(); }
  });
  canvas.addEventListener("pointerup", (event) => {
    const clicked = grip && !grip.moved;
    grip = null;
    canvas.classList.remove("moving");
    if (clicked) { const i = at(...where(event)); hold(i === held ? -1 : i); }
  });
  canvas.addEventListener("pointercancel", () => { grip = null; canvas.classList.remove("moving"); });
  canvas.addEventListener("pointerleave", () => { if (!grip) point(-1); });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-Math.max(-120, Math.min(120, event.deltaY * (event.deltaMode ? 30 : 1))) * .003), ...where(event));
    if (held >= 0) show(held);
  }, { passive: false });
  canvas.addEventListener("dblclick", (event) => zoom(2, ...where(event)));
  document.addEventListener("keydown", (event) => {
    if (event.target === $("search") || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    if (event.key === "n" || event.key === "p") step(event.key === "n" ? 1 : -1);
    else if (event.key === "Escape") { fixed = -1; press(); hold(-1); }
    else if (event.key === "+" || event.key === "=") zoom(1.4);
    else if (event.key === "-") zoom(1 / 1.4);
    else if (event.key === "0") whole();
    else if (moves[event.key] && event.target === canvas) {
      view.left += moves[event.key][0]; view.top += moves[event.key][1]; event.preventDefault();
    } else return;
    if (held >= 0) show(held); else refresh();
  });

  // The side.
  const failures = new Array(classes.length).fill(0);
  for (const i of bad) failures[label[i]]++;
  const press = () => buttons.forEach((button, c) => button.setAttribute("aria-pressed", c === fixed));
  const buttons = classes.map((kind, c) => {
    const item = make("li"), button = make("button"), mark = glyph(kind, 6, true, 2);
    button.type = "button";
    mark.setAttribute("aria-hidden", "true");
    const wrongs = failures[c] ? make("span", failures[c], "bad") : make("span");
    if (failures[c]) wrongs.title = failures[c] + " misclassified";
    button.title = named(c);
    button.append(mark, make("span", named(c), "name"), wrongs, make("span", size[c], "count"));
    button.addEventListener("pointerenter", () => light(c));
    button.addEventListener("focus", () => light(c));
    button.addEventListener("pointerleave", settle);
    button.addEventListener("blur", settle);
    button.addEventListener("click", () => { fixed = fixed === c ? -1 : c; held = -1; show(-1); press(); settle(); });
    item.append(button);
    $("classes").append(item);
    return button;
  });
  press();
  $("search").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    asked = wanted ? new Set([...classes.keys()].filter((c) => named(c).toLowerCase().includes(wanted))) : null;
    buttons.forEach((button, c) => { button.parentNode.hidden = Boolean(asked) && !asked.has(c); });
    refresh();
  });
  $("search").addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.target.value = ""; event.target.dispatchEvent(new Event("input")); }
    if (event.key !== "Enter" || !asked || !asked.size) return;
    const exact = event.target.value.trim().toLowerCase();
    const best = [...asked].find((c) => named(c).toLowerCase() === exact) ?? [...asked][0];
    goTo(classes[best].x, classes[best].y, 4);
  });
  parts.forEach((kind, k) => {
    const line = make("label"), box = make("input");
    box.type = "checkbox"; box.checked = true;
    box.addEventListener("change", () => { shown[k] = box.checked; if (held >= 0 && !visible(held)) hold(-1); refresh(); });
    line.append(box, " " + kind.name + " (" + kind.count.toLocaleString("en") + ")");
    $("parts").append(line);
  });
  $("names").addEventListener("change", (event) => { naming = event.target.checked; refresh(); });
  $("pictures").addEventListener("change", (event) => { pictures = event.target.checked; refresh(); });
  $("pictured").hidden = !sheets.length;
  $("parts").hidden = parts.length < 2;
  $("next").hidden = !bad.length;
  $("next").addEventListener("click", () => step(1));
  $("closer").addEventListener("click", () => zoom(1.5));
  $("farther").addEventListener("click", () => zoom(1 / 1.5));
  $("whole").addEventListener("click", whole);
  sheets.forEach((sheet) => sheet.addEventListener("load", refresh));
  new ResizeObserver(resize).observe(canvas);
  resize();
  draw();
  // For looking at a state of the page without hands, as in page.html#held=12 or #pictures.
  const wish = new URLSearchParams(location.hash.slice(1));
  if (wish.has("pictures") && sheets.length) { $("pictures").checked = pictures = true; refresh(); }
  if (wish.has("class")) { $("search").value = wish.get("class"); $("search").dispatchEvent(new Event("input")); }
  if (wish.has("zoom")) zoom(Number(wish.get("zoom")) || 1);
  if (wish.has("held")) { const i = Number(wish.get("held")); if (i >= 0 && i < count) { goTo(x[i], y[i], 1); hold(i); } }
