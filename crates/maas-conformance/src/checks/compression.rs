use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::{GzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};

use super::infer::plain;
use super::{Check, holds};
use crate::target::same;
use crate::{Target, Verdict};

pub(super) const CHECKS: &[(&str, Check)] = &[
    (
        "compressed requests are taken, or refused as such",
        requests,
    ),
    ("an answer is compressed only as was asked for", answers),
];

fn requests(target: &Target) -> Result<Verdict, String> {
    let Some(request) = plain(target)? else {
        return Ok(Verdict::Skipped);
    };
    let answer = target.answer(&request)?;
    let body = request.to_string();
    for (name, packed) in [
        ("gzip", gzip(body.as_bytes())),
        ("deflate", deflate(body.as_bytes())),
    ] {
        let packed = packed.map_err(|error| error.to_string())?;
        let reply = target.post_with(
            &target.path("/infer"),
            &[("content-encoding", name)],
            &packed,
        )?;
        match reply.status {
            415 => reply.refused(&[415])?,
            _ => same(&answer, &reply.json(200)?)?,
        }
    }
    let broken = target.post_with(
        &target.path("/infer"),
        &[("content-encoding", "gzip")],
        body.as_bytes(),
    )?;
    broken.refused(&[400, 415])?;
    Ok(Verdict::Passed)
}

fn answers(target: &Target) -> Result<Verdict, String> {
    let Some(request) = plain(target)? else {
        return Ok(Verdict::Skipped);
    };
    let answer = target.answer(&request)?;
    let body = request.to_string();
    for name in ["gzip", "deflate", "identity"] {
        let mut reply = target.post_with(
            &target.path("/infer"),
            &[("accept-encoding", name)],
            body.as_bytes(),
        )?;
        let mut plain = Vec::new();
        let read = match reply.header("content-encoding") {
            None | Some("identity") => {
                plain.clone_from(&reply.body);
                Ok(0)
            }
            Some("gzip") if name == "gzip" => {
                GzDecoder::new(&reply.body[..]).read_to_end(&mut plain)
            }
            Some("deflate") if name == "deflate" => {
                ZlibDecoder::new(&reply.body[..]).read_to_end(&mut plain)
            }
            Some(other) => return Err(format!("asked for {name}, got {other}")),
        };
        holds(read.is_ok(), || {
            format!("{name}: the answer cannot be unpacked")
        })?;
        reply.body = plain;
        same(&answer, &reply.json(200)?)?;
    }
    Ok(Verdict::Passed)
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn deflate(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}
