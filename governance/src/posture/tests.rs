//! Tables of the posture.
