"""Runs that differ in the seed alone, asked together: the unit of a claim about models."""
