//! The definition of the streams, and the law of the normals.


use super::*;

#[test]
fn chi_has_its_mean_square() {
    let mut stream = Streams { seed: 1, replicate: 0 }.stream(Purpose::Complement);
    let chi = Chi::new(15);
    let mean = (0..100_000).map(|_| chi.sample(&mut stream).powi(2)).sum::<f64>() / 1e5;
    assert!((mean - 15.0).abs() < 5.0 * (30.0f64 / 1e5).sqrt(), "{mean}");
    assert_eq!(Chi::new(0).sample(&mut stream), 0.0);
}

/// cargo test --release -p twolayer timing -- --ignored --nocapture
#[test]
#[ignore]
fn timing() {
    use rand_distr::StandardNormal;
    let mut stream = Streams { seed: 1, replicate: 0 }.stream(Purpose::Input);
    let mut old = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut out = vec![0.0; 998];
    for _ in 0..7 {
        let t = std::time::Instant::now();
        for _ in 0..20_000 { fill_normal(&mut stream, &mut out); std::hint::black_box(&mut out); }
        let a = t.elapsed().as_secs_f64() / 20_000.0 / 998.0 * 1e9;
        let t = std::time::Instant::now();
        for _ in 0..20_000 {
            let mut local = old.clone();
            for x in &mut out { *x = StandardNormal.sample(&mut local); } std::hint::black_box(&mut out); old = local; }
        let b = t.elapsed().as_secs_f64() / 20_000.0 / 998.0 * 1e9;
        let t = std::time::Instant::now();
        for _ in 0..4_000_000 { fill_normal(&mut stream, &mut out[..4]); std::hint::black_box(&mut out); }
        let c = t.elapsed().as_secs_f64() / 16_000_000.0 * 1e9;
        let t = std::time::Instant::now();
        for _ in 0..160_000 { std::hint::black_box(stream.words.take(128)); }
        let d = t.elapsed().as_secs_f64() / 160_000.0 / 128.0 * 1e9;
        println!("new {a:.2} old {b:.2} by four {c:.2} words {d:.2}");
    }
}
