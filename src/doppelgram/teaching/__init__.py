"""Teaching: what people answer about their photographs, and what follows: groups, questions, versions."""
