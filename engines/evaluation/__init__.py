"""Measuring: error metrics, the labelled test pictures, and the table of one system beside another."""
