"""Judgements of clips: fields of a set, its draw, the order in which a judge sees it, results and their export."""
