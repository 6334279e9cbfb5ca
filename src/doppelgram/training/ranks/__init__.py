"""One training on several processes and machines: who they are, how they start, and what makes them one."""
