"""Posterior sampling in pixel space: unconditional diffusion models of pixels, and the rivals that stand on them.

model = load_pixel_model("256x256_diffusion_uncond.pt")
result = Tao(facts_of("tao-haze"), model, TaoSettings(task="haze"))("hazy.jpg")
"""
