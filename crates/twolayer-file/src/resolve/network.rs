//! `[network]`.

use faer::Mat;
use twolayer::{
    overlaps::{Overlaps, symmetric_root},
    problem::{Bias, BiasInit, FirstLayer, Formula, Init, Network, Placement, SecondLayer, Sizes, Target},
};

use super::reader::{NO_SIZES, Reader};
use crate::text::words::{BiasLaw, FirstLayerKind, SecondLayerInit};

/// The widest network: its overlaps alone would be 10¹² numbers.
const WIDEST: f64 = 1e6;

/// The network that learns `target` in dimension `d`; `own` is the experiment's own dimension, where a start is drawn
/// that all views share.
pub fn resolve(reader: &mut Reader<'_>, target: &Target, d: f64, own: f64) -> Option<Network> {
    let k = target.directions() as f64;
    let width = reader.size("network.width", &Sizes { d, k, ..NO_SIZES }, WIDEST);
    let growth = reader.formula("network.width").filter(|width| depends_on_d(width, k));
    let activation = reader.activation("network.activation");
    let output_scale = reader.formula("network.output_scale");
    let second_layer = second_layer(reader);
    let bias = bias(reader);
    let start = reader.choice("network.start");
    let start_seed = reader.whole("network.start_seed");
    let width = width? as usize;
    let first_layer = first_layer(reader, target, width);
    let start_dimension = start_dimension(reader, Sizes { d: own, p: width as f64, k, ..NO_SIZES });
    Some(Network {
        width,
        growth,
        activation: activation?,
        output_scale: output_scale?,
        first_layer: first_layer?,
        second_layer: second_layer?,
        bias,
        start: start?,
        start_seed: start_seed?,
        start_dimension: start_dimension?,
    })
}

/// Whether a width is not the same at all d.
fn depends_on_d(width: &Formula, k: f64) -> bool {
    let at = |d: f64| width.value(&Sizes { d, k, ..NO_SIZES });
    at(1e6) != at(1e9)
}

/// Always a number where the experiment has a dimension, so that views in other dimensions share the start.
fn start_dimension(reader: &mut Reader<'_>, sizes: Sizes) -> Option<Option<u64>> {
    if sizes.d.is_infinite() && !reader.has("network.start_dimension") {
        return Some(None);
    }
    reader.size("network.start_dimension", &sizes, super::training::HIGHEST).map(Some)
}

fn first_layer(reader: &mut Reader<'_>, target: &Target, width: usize) -> Option<FirstLayer> {
    let symmetric = reader.switch("network.first_layer.symmetric");
    let scale = reader.formula("network.first_layer.scale");
    let placement = if reader.has("network.first_layer.overlaps") {
        if symmetric {
            let remedy = "remove symmetric: M and Q say where every neuron starts";
            reader.fault("network.first_layer.symmetric", "symmetric and overlaps exclude each other", remedy);
        }
        overlaps(reader, target, width)
    } else {
        reader.choice("network.first_layer.kind").map(|kind| match kind {
            FirstLayerKind::Gaussian => Placement::Gaussian,
            FirstLayerKind::Sphere => Placement::Sphere,
            FirstLayerKind::Orthonormal => Placement::Orthonormal,
        })
    };
    Some(FirstLayer { placement: placement?, scale: scale?, symmetric })
}

/// M and Q as given, which together with P must be the Gram matrix of some vectors.
fn overlaps(reader: &mut Reader<'_>, target: &Target, p: usize) -> Option<Placement> {
    let k = target.directions();
    let student_teacher = shaped(reader, "network.first_layer.overlaps.M", p, k);
    let student_student = shaped(reader, "network.first_layer.overlaps.Q", p, p);
    let (student_teacher, student_student) = (student_teacher?, student_student?);
    let asymmetric = (0..p).any(|i| (0..i).any(|j| (student_student[(i, j)] - student_student[(j, i)]).abs() > 1e-12));
    let teacher_teacher = target.overlaps.clone();
    let state = Overlaps { student_teacher, student_student, teacher_teacher };
    let square = (state.teacher_teacher.nrows(), state.teacher_teacher.ncols()) == (k, k);
    if asymmetric || (square && symmetric_root(state.omega().as_ref()).is_err()) {
        let reason = "[[Q, M], [Mᵀ, P]] is not symmetric positive semi-definite: no weights have these overlaps";
        let remedy = "write Gram matrices: at most M_jr² ≤ Q_jj P_rr, and Q symmetric";
        reader.fault("network.first_layer.overlaps", reason, remedy);
        return None;
    }
    Some(Placement::Overlaps { student_teacher: state.student_teacher, student_student: state.student_student })
}

fn shaped(reader: &mut Reader<'_>, path: &str, rows: usize, columns: usize) -> Option<Mat<f64>> {
    let matrix = reader.matrix(path)?;
    if (matrix.nrows(), matrix.ncols()) == (rows, columns) {
        return Some(matrix);
    }
    let reason = format!("`{path}` is {}×{}", matrix.nrows(), matrix.ncols());
    reader.fault(path, reason, format!("write {rows} rows of {columns}: the network has {rows} neurons"));
    None
}

fn second_layer(reader: &mut Reader<'_>) -> Option<SecondLayer> {
    let init = match reader.numbers("network.second_layer.values") {
        Some(values) => Init::Values(values),
        None => match reader.choice("network.second_layer.init")? {
            SecondLayerInit::Ones => Init::Ones,
            SecondLayerInit::Alternating => Init::Alternating,
            SecondLayerInit::Signs => Init::Signs,
            SecondLayerInit::Gaussian => Init::Gaussian,
            SecondLayerInit::Uniform => Init::Uniform,
            SecondLayerInit::Grid => Init::Grid,
            SecondLayerInit::Nodes => Init::Nodes,
        },
    };
    let scale = reader.formula("network.second_layer.scale");
    let rate_ratio = reader.formula("network.second_layer.rate_ratio");
    let train = reader.switch("network.second_layer.train");
    Some(SecondLayer { init, scale: scale?, train, rate_ratio: rate_ratio? })
}

fn bias(reader: &mut Reader<'_>) -> Option<Bias> {
    let train = reader.switch("network.bias.train");
    let init = match reader.choice("network.bias.init")? {
        BiasLaw::Zero => BiasInit::Zero,
        BiasLaw::Gaussian => BiasInit::Gaussian,
        BiasLaw::Uniform => BiasInit::Uniform,
        BiasLaw::None => {
            if train {
                let remedy = "say where they start: bias = { init = \"zero\", train = true }";
                reader.fault("network.bias.train", "there are no biases to train: their init is \"none\"", remedy);
            }
            return None;
        }
    };
    Some(Bias { init, train })
}
