// Posts as the views of role models show them.
import { link } from "./dom.js";
import { decimal, number } from "./words.js";

/** Where the look-alikes of a post are. */
export const alike = (post) => (post.image ? `/search?image=${encodeURIComponent(post.image)}` : "/search");

/** A post as a photograph of the catalog. */
export const pictured = (post) => ({ id: post.image, name: post.path, label: "", author: post.author, timestamp: post.timestamp });

/** Columns of tables; see `explained`. */
export const authorColumns = (meanings) => [
  ["Author", "", (row) => (row.best ? link(`/search?image=${encodeURIComponent(row.best)}`, row.author) : row.author)],
  ["Posts", meanings.posts, (row) => number(row.posts), true],
  ["Followers", meanings.followers, (row) => number(row.followers), true],
  ["Attributed", meanings.attributed, (row) => decimal(row.attributed), true],
  ["Excess", meanings.excess, (row) => decimal(row.excess), true],
  ["Led", meanings.led, (row) => number(row.led), true],
];

export const placeColumns = (meanings) => [
  ["Place", "", (row) => (row.best ? link(`/search?image=${encodeURIComponent(row.best)}`, row.place) : row.place)],
  ["Posts", meanings.posts, (row) => number(row.posts), true],
  ["Authors", meanings.authors, (row) => number(row.authors), true],
  ["Arrangements", meanings.arrangements, (row) => number(row.arrangements), true],
  ["Attributed", meanings.attributed, (row) => decimal(row.attributed), true],
  ["Excess", meanings.excess, (row) => decimal(row.excess), true],
];
