//! `icos resolve`: the closure of a request.

use std::process::ExitCode;

use serde_json::json;

use super::{Edge, args::Resolve};
use crate::pipeline;

pub(super) fn run(edge: &Edge, args: &Resolve) -> anyhow::Result<ExitCode> {
    let request = pipeline::Asked {
        base: args.request.base.clone(),
        packages: args.request.packages.clone(),
        recommends: args.request.recommends,
        essential: !args.no_essential,
        required: false,
    };
    let chosen = edge.session(args.offline, |session| Ok(pipeline::resolve(session, &request)?))?;
    edge.screen.end();
    let text: String = chosen.iter().map(|p| format!("{} {} {}\n", p.name, p.version, p.architecture)).collect();
    edge.print(&text, &json!({ "packages": chosen }))?;
    Ok(ExitCode::SUCCESS)
}
