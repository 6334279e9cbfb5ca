"""Posts: pictures with an author and a time, from tables, exports, downloaders' files and cameras."""
