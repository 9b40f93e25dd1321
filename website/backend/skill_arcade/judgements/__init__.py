"""Judgements of clips: what a set is made of, how it is drawn, in which order a judge sees it, and what came out."""
