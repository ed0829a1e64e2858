//! Tables of the operators.
