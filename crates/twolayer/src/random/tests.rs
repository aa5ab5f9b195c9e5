//! The definition of the streams, and the law of the normals.

use rand::Rng;

use super::{words::LANES, *};

#[test]
fn chi_has_its_mean_square() {
    let mut stream = Streams { seed: 1, replicate: 0 }.stream(Purpose::Complement);
    let chi = Chi::new(15);
    let mean = (0..100_000).map(|_| chi.sample(&mut stream).powi(2)).sum::<f64>() / 1e5;
    assert!((mean - 15.0).abs() < 5.0 * (30.0f64 / 1e5).sqrt(), "{mean}");
    assert_eq!(Chi::new(0).sample(&mut stream), 0.0);
}

#[test]
fn streams_are_pinned() {
    // Words 0 and 16, the first two of generator 0; computed independently in Python from the definition.
    for (seed, replicate, purpose, expected) in [
        (0, 0, Purpose::Start, [10098455958572631259, 336530353589753902]),
        (42, 7, Purpose::Input, [12518612619179803925, 5620709093340471955]),
    ] {
        let mut stream = Streams { seed, replicate }.stream(purpose);
        let words: Vec<u64> = (0..=LANES).map(|_| stream.next_u64()).collect();
        assert_eq!([words[0], words[LANES]], expected);
    }
}

#[test]
fn lanes_are_independent() {
    let streams = Streams { seed: 2, replicate: 3 };
    let normals = |lane: usize| {
        let mut out = vec![0.0; 100_000];
        fill_normal(&mut streams.lane(Purpose::Input, lane), &mut out);
        out
    };
    let lanes: Vec<Vec<f64>> = (0..4).map(normals).collect();
    for (i, x) in lanes.iter().enumerate() {
        for y in &lanes[..i] {
            let correlation = x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>() / x.len() as f64;
            assert!(correlation.abs() < 4.5 / (x.len() as f64).sqrt(), "{correlation}");
        }
    }
    let mut first = vec![0.0; 100_000];
    fill_normal(&mut streams.stream(Purpose::Input), &mut first);
    assert_eq!(first, lanes[0]);
}

#[test]
fn normals_are_pinned() {
    // Computed independently in Python from the definition.
    let mut stream = Streams { seed: 42, replicate: 7 }.stream(Purpose::Input);
    for expected in [0.9251796250133065, 1.32502260967274, 1.417500106997729, 0.21133045536049005, -0.7071679209935084]
    {
        let x = normal(&mut stream);
        assert!((x - expected).abs() < 1e-12, "{x}, not {expected}");
    }
}

#[test]
fn words_interleave_generators_of_the_library() {
    let mut seeds = SplitMix(5);
    let mut words = Words::new(&mut SplitMix(5));
    let mut lanes: Vec<_> = (0..LANES)
        .map(|_| {
            let mut seed = [0; 32];
            seed.as_chunks_mut().0.iter_mut().for_each(|word| *word = seeds.next().to_le_bytes());
            Xoshiro256PlusPlus::from_seed(seed)
        })
        .collect();
    for n in 0..1000 {
        assert_eq!(words.take(1)[0], lanes[n % LANES].next_u64(), "word {n}");
    }
}

#[test]
fn normals_do_not_depend_on_the_calls() {
    let stream = Streams { seed: 3, replicate: 0 }.stream(Purpose::Input);
    let (mut whole, mut parts) = (vec![0.0; 20_000], vec![0.0; 20_000]);
    fill_normal(&mut stream.clone(), &mut whole);
    let (mut stream, mut rest, mut size) = (stream, parts.as_mut_slice(), 1);
    while !rest.is_empty() {
        let (now, later) = rest.split_at_mut(size.min(rest.len()));
        fill_normal(&mut stream, now);
        (rest, size) = (later, size % 300 + 1);
    }
    assert_eq!(whole, parts);
}

/// Moments to the eighth, 200 bins of equal probability, the tail and the wedges' share, and lags.
#[test]
fn normals_have_their_law() {
    const N: usize = 10_000_000;
    let mut stream = Streams { seed: 11, replicate: 0 }.stream(Purpose::Input);
    let mut x = vec![0.0; N];
    fill_normal(&mut stream, &mut x);
    let n = N as f64;
    // E x^m = (m − 1)!! for even m; the variance of x^m is E x^{2m} − (E x^m)².
    let moment = |m: i32| if m % 2 == 1 { 0.0 } else { (1..m).step_by(2).map(f64::from).product::<f64>() };
    for m in 1..=8 {
        let mean = x.iter().map(|x| x.powi(m)).sum::<f64>() / n;
        let error = ((moment(2 * m) - moment(m).powi(2)) / n).sqrt();
        assert!((mean - moment(m)).abs() < 4.5 * error, "moment {m}: {mean} ± {error}");
    }
    // χ² with 199 degrees of freedom has deviation √398.
    let mut bins = [0.0; 200];
    x.iter().for_each(|x| bins[((100.0 * libm::erfc(-x / 2f64.sqrt())) as usize).min(199)] += 1.0);
    let chi_square = bins.iter().map(|b| (b - n / 200.0).powi(2) / (n / 200.0)).sum::<f64>();
    assert!((chi_square - 199.0).abs() < 4.5 * 398f64.sqrt(), "{chi_square}");
    // Within the last layer, and beyond r.
    for bound in [3.0, 3.65, normal::TAIL, 4.0, 4.5] {
        let expected = n * libm::erfc(bound / 2f64.sqrt());
        let beyond = x.iter().filter(|x| x.abs() > bound).count() as f64;
        assert!((beyond - expected).abs() < 4.5 * expected.sqrt(), "beyond {bound}: {beyond}, not {expected}");
    }
    for lag in [1, 2, 3, 4, 8, LANES, 2 * LANES, 128] {
        let pairs = || x.iter().zip(&x[lag..]);
        let first = pairs().map(|(x, y)| x * y).sum::<f64>() / n.sqrt();
        let second = pairs().map(|(x, y)| (x * x - 1.0) * (y * y - 1.0)).sum::<f64>() / (2.0 * n.sqrt());
        assert!(first.abs() < 4.5 && second.abs() < 4.5, "lag {lag}: {first}, {second}");
    }
}
