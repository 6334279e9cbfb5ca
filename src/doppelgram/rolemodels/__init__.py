"""Role models: which post set an arrangement that later posts repeated."""
