//! The examples run, and what they assert holds.

#[path = "../examples/new_activation.rs"]
mod new_activation;
#[path = "../examples/new_target.rs"]
mod new_target;
#[path = "../examples/paper_a_reuse.rs"]
mod paper_a_reuse;
#[path = "../examples/paper_b_giant_step.rs"]
mod paper_b_giant_step;
#[path = "../examples/paper_c_time_scales.rs"]
mod paper_c_time_scales;
#[path = "../examples/paper_d_ode.rs"]
mod paper_d_ode;

#[test]
fn new_activation_runs() -> twolayer::Result<()> {
    new_activation::main()
}

#[test]
fn new_target_runs() -> twolayer::Result<()> {
    new_target::main()
}

#[test]
fn paper_a_reuse_runs() -> twolayer::Result<()> {
    paper_a_reuse::main()
}

#[test]
fn paper_b_giant_step_runs() -> twolayer::Result<()> {
    paper_b_giant_step::main()
}

#[test]
fn paper_c_time_scales_runs() -> twolayer::Result<()> {
    paper_c_time_scales::main()
}

#[test]
fn paper_d_ode_runs() -> twolayer::Result<()> {
    paper_d_ode::main()
}
