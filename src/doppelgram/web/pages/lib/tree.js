// Who follows whom: a drawing in which every generation stands to the right of the one before it.
import { thumbnail } from "./api.js";
import { path, s } from "./svg.js";
import { day } from "./words.js";

const WIDE = 168, NARROW = 68, SIDE = 46, MOST = 90;

/**
 * The trees of some posts: {path, parent, image, author, timestamp, likely_origin}, in order of time.
 * Returns {drawing, shown, left}: the largest trees first, as many as fit; `left` counts posts that are not drawn.
 * Where there are too many generations for the room, names are left out.
 */
export function tree(posts, hrefOf, room) {
  const children = new Map(posts.map((post) => [post.path, []]));
  for (const post of posts) if (children.has(post.parent)) children.get(post.parent).push(post);
  const size = (post) => 1 + children.get(post.path).reduce((sum, child) => sum + size(child), 0);
  const roots = posts.filter((post) => !children.has(post.parent) && children.get(post.path).length).sort((a, b) => size(b) - size(a));
  const nodes = [], edges = [];
  let row = 0, generations = 0;
  const place = (post, generation) => {
    const below = children.get(post.path).map((child) => {
      const at = place(child, generation + 1);
      edges.push([post, child]);
      return at;
    });
    const y = below.length ? below[0] : row++;
    nodes.push({ post, generation, y });
    generations = Math.max(generations, generation + 1);
    return y;
  };
  const every = roots.reduce((sum, root) => sum + size(root), 0);
  for (const root of roots) if (!nodes.length || nodes.length + size(root) <= MOST) place(root, 0);
  if (!nodes.length) return { drawing: null, shown: 0, left: 0 };
  const at = new Map(nodes.map((node) => [node.post.path, node]));
  const across = Math.max(NARROW, Math.min(WIDE, Math.floor(room / generations)));
  const bend = SIDE + Math.floor((across - SIDE) / 2);
  const named = across >= 110, down = SIDE + (named ? 40 : 24);
  for (const node of nodes) node.x = node.generation * across;
  const width = generations * across, height = row * down;
  const middle = (node) => node.y * down + SIDE / 2 + 4;
  const lines = edges.map(([parent, child]) => {
    const [a, b] = [at.get(parent.path), at.get(child.path)];
    const turn = a.x + bend;
    return s("path", { class: "branch", d: path([[a.x + SIDE, middle(a)], [turn, middle(a)], [turn, middle(b)], [b.x, middle(b)]]) });
  });
  const drawn = nodes.map((node) => {
    const { post, x } = node;
    const top = node.y * down + 4;
    const said = `${post.author || "author not known"}, ${day(post.timestamp)}${post.likely_origin ? ", likely origin" : ""}`;
    return s("a", { href: hrefOf(post), "data-route": "", class: `node${post.likely_origin ? " origin" : ""}`, "aria-label": said },
      s("title", {}, said),
      s("rect", { x, y: top, width: SIDE, height: SIDE, rx: 3 }),
      post.image ? s("image", { href: thumbnail(post.image), x, y: top, width: SIDE, height: SIDE, preserveAspectRatio: "xMidYMid slice" }) : null,
      s("rect", { class: "edge", x, y: top, width: SIDE, height: SIDE, rx: 3 }),
      named ? s("text", { x, y: top + SIDE + 14 }, short(post.author || "not known", Math.floor((bend - 4) / 7))) : null,
      s("text", { class: "when", x, y: top + SIDE + (named ? 28 : 13) }, brief(post.timestamp)));
  });
  const drawing = s("svg", { class: "tree", width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `Tree of ${nodes.length} posts` }, lines, drawn);
  return { drawing, shown: nodes.length, left: every - nodes.length };
}

const brief = (timestamp) => new Date(timestamp).toLocaleDateString("en-GB", { day: "numeric", month: "numeric", year: "2-digit", timeZone: "UTC" });
const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}\u2026` : text);
