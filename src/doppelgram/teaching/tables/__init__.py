"""What goes out and comes in as tables: answers, questions, names and groups."""
