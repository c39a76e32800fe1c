"""YOLY, You Only Look Yourself (Li et al., IJCV 2021): haze, learned of the one picture."""
