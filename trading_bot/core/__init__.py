"""The cycle: one assembler, the steps in their order, and what happens when something goes wrong."""
