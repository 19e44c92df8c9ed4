"""The paper's GAN on the white-box views (Wang & Yu, CVPR 2020)."""
