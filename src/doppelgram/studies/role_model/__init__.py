"""The role-model study's networks, rung by rung, beside its published figures."""
