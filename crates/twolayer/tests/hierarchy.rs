#![allow(clippy::unwrap_used, missing_docs)]
use twolayer::{
    expression::{Expression, Vocabulary},
    hierarchy::Analysis,
    problem::{Activation, Rule, Target},
};
fn analyse(text: &str, a: Option<&str>) {
    let vocabulary = Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() };
    let target = Target::new(Rule::Expression(Expression::parse(text, &vocabulary).unwrap()));
    let a = a.map(|a| Activation::named(a).unwrap());
    let t = std::time::Instant::now();
    match Analysis::of(&target, a.as_ref()) {
        Err(e) => println!("{text}: {e}"),
        Ok(r) => {
            println!("=== {text}  {:?}  relevant {:.3?}", t.elapsed(), r.relevant);
            for (name, s) in [("fresh", &r.fresh), ("aware", &r.label_aware)]
                .into_iter()
                .chain(r.visible.iter().map(|v| ("visible", &v.stairs)))
            {
                println!("  {name} exp {:?} leap {:?} end {:?}", s.exponent(), s.leap_complexity(), s.end);
                for s in &s.stairs {
                    println!(
                        "     {} {:.4?} size {:.6} ± {:.1e} zero {:.1e} {:?}",
                        s.leap, s.directions, s.size, s.error, s.zero_within, s.method
                    );
                }
            }
            println!("  hard {:.3?} by {:.2?}", r.hard, r.reflections);
            if let Some(v) = &r.visible {
                println!("  blind {:?}", v.blind);
            }
        }
    }
}
#[test]
fn look() {
    if let Ok(t) = std::env::var("T") {
        analyse(&t, Some("relu"));
        return;
    }
    for t in [
        "he3(z1)",
        "he4(z1)",
        "tanh(he3(z1))",
        "z1 + z1*z2",
        "z1 + z1*z2*z3",
        "tanh(z1 + he3(z2))",
        "z1*z2*z3 + he3(z4)",
        "sign(z1*z2*z3)",
        "he4(z1) + sign(z1*z2*z3)",
        "relu(z1) + relu(z2)",
        "sign(z1*z2)",
    ] {
        analyse(t, Some("relu"));
    }
    for t in [
        "(z1+z2)/sqrt(2)",
        "tanh((z1+z2)/sqrt(2) + he3((z1-z2)/sqrt(2)))",
        "sign(z1+2*z2)",
        "relu((z1+2*z2)/sqrt(5))",
        "abs(z1)+0.01*z2",
        "z3",
        "he9(z1)",
        "z1+he9(z2)",
        "log(z1)",
        "z1-z1",
        "sqrt(z1+9)",
        "exp(z1^3)",
        "1/z1",
        "sign(z1)*sign(z2)+z3*abs(z4)",
        "z1*z2*z3*z4*z5*z6",
        "relu(z1)+relu(z2)+relu(z3)+relu(z4)",
    ] {
        analyse(t, Some("relu"));
    }
}
