//! The network as a backend of Triton, so that nothing but its own server is between a request and the same products.

mod api;
#[path = "../network.rs"]
mod network;

use std::ffi::{CStr, CString, c_int};
use std::path::Path;
use std::ptr::{null_mut, slice_from_raw_parts};

use anyhow::Result;
use api::{Asked, Failure, Input, Instance, Loaded, Output, Reply};
use network::{Answers, COLUMNS};

/// Loads the network that lies in the model's folder.
///
/// # Safety
/// Triton calls it, with a model of its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn TRITONBACKEND_ModelInitialize(model: *mut Loaded) -> *mut Failure {
    let (mut kind, mut folder) = (0, std::ptr::null());
    // SAFETY: the model is Triton's; the folder's name, which ends with a zero, lives as long as the model.
    let folder = unsafe {
        let failure = api::model_folder(model, &mut kind, &mut folder);
        if !failure.is_null() {
            return failure;
        }
        CStr::from_ptr(folder).to_string_lossy()
    };
    let answers = match Answers::load(&Path::new(&*folder).join("1/wine.safetensors")) {
        Ok(answers) => Box::into_raw(Box::new(answers)),
        Err(error) => return failed(&format!("{error:#}")),
    };
    // SAFETY: as above; Triton only keeps the address.
    unsafe { api::set_model_state(model, answers.cast()) }
}

/// Takes the network back.
///
/// # Safety
/// Triton calls it once for each model, after its instances have ended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn TRITONBACKEND_ModelFinalize(model: *mut Loaded) -> *mut Failure {
    let mut state = null_mut();
    // SAFETY: the state is null, or what `TRITONBACKEND_ModelInitialize` made, and nobody reads it any more.
    unsafe {
        let failure = api::model_state(model, &mut state);
        if failure.is_null() && !state.is_null() {
            drop(Box::from_raw(state.cast::<Answers>()));
        }
        failure
    }
}

/// Answers requests, each one with a reply of its own.
///
/// # Safety
/// Triton calls it, with requests that it hands over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn TRITONBACKEND_ModelInstanceExecute(
    instance: *mut Instance,
    requests: *const *mut Asked,
    count: u32,
) -> *mut Failure {
    let (mut model, mut state) = (null_mut(), null_mut());
    // SAFETY: instance, model and requests are Triton's; the state was set before the instance was made.
    let (answers, requests) = unsafe {
        let failure = api::model_of(instance, &mut model);
        if !failure.is_null() {
            return failure;
        }
        let failure = api::model_state(model, &mut state);
        if !failure.is_null() {
            return failure;
        }
        let requests = &*slice_from_raw_parts(requests, count as usize);
        (&*state.cast::<Answers>(), requests)
    };
    for &asked in requests {
        let mut reply = null_mut();
        // SAFETY: the request is ours until it is given back, which ends its tensors; the reply is sent once.
        unsafe {
            if api::reply_new(&mut reply, asked).is_null() {
                let failure = answer(answers, asked, reply).err().unwrap_or(null_mut());
                api::send(reply, api::FINAL, failure);
            }
            api::give_back(asked, api::ALL);
        }
    }
    null_mut()
}

/// # Safety
/// The request has not been given back, nor has the reply been sent.
unsafe fn answer(
    answers: &Answers,
    asked: *mut Asked,
    reply: *mut Reply,
) -> Result<(), *mut Failure> {
    // SAFETY: as the caller promises.
    let values = unsafe { values(asked)? };
    let answered = answers.with(&values, |answer| {
        // SAFETY: as the caller promises.
        unsafe { write(reply, answer) }
    });
    answered.map_err(|error| failed(&format!("{error:#}")))?
}

/// The numbers of the only input, whose pieces may lie anywhere.
///
/// # Safety
/// The request has not been given back.
unsafe fn values(asked: *mut Asked) -> Result<Vec<f32>, *mut Failure> {
    let mut input: *mut Input = null_mut();
    let (mut name, mut datatype, mut shape) = (std::ptr::null(), 0, std::ptr::null());
    let (mut dimensions, mut bytes, mut buffers) = (0, 0, 0);
    // SAFETY: the request is live; all that is written to lives here.
    unsafe {
        ok(api::input_of(asked, 0, &mut input))?;
        ok(api::input_properties(
            input,
            &mut name,
            &mut datatype,
            &mut shape,
            &mut dimensions,
            &mut bytes,
            &mut buffers,
        ))?;
    }
    let length = bytes as usize / size_of::<f32>();
    if datatype != api::FP32 || length % COLUMNS != 0 {
        return Err(refused(
            api::INVALID_ARGUMENT,
            "the input is not rows of FP32",
        ));
    }
    let (mut values, mut filled) = (vec![0_f32; length], 0);
    for index in 0..buffers {
        let (mut piece, mut bytes) = (std::ptr::null(), 0);
        let (mut memory, mut memory_id) = (api::CPU, 0);
        // SAFETY: as above.
        unsafe {
            ok(api::input_buffer(
                input,
                index,
                &mut piece,
                &mut bytes,
                &mut memory,
                &mut memory_id,
            ))?;
        }
        let bytes = bytes as usize;
        if memory != api::CPU || filled + bytes > size_of_val(&values[..]) {
            return Err(failed("the pieces are not those that were told"));
        }
        // SAFETY: Triton says that so many bytes lie there, and there is room for them.
        unsafe {
            let room = values.as_mut_ptr().cast::<u8>().add(filled);
            std::ptr::copy_nonoverlapping(piece.cast(), room, bytes);
        }
        filled += bytes;
    }
    Ok(values)
}

/// # Safety
/// The reply has not been sent.
unsafe fn write(reply: *mut Reply, answer: &[f32]) -> Result<(), *mut Failure> {
    let shape = [answer.len() as i64, 1];
    let bytes = size_of_val(answer) as u64;
    let mut output: *mut Output = null_mut();
    let (mut buffer, mut memory, mut memory_id) = (null_mut(), api::CPU, 0);
    // SAFETY: the reply is live; the buffer has as many bytes as were asked for, and is nobody else's.
    unsafe {
        let name = c"output".as_ptr();
        ok(api::reply_output(
            reply,
            &mut output,
            name,
            api::FP32,
            shape.as_ptr(),
            2,
        ))?;
        ok(api::output_buffer(
            output,
            &mut buffer,
            bytes,
            &mut memory,
            &mut memory_id,
        ))?;
        std::ptr::copy_nonoverlapping(answer.as_ptr().cast::<u8>(), buffer.cast(), bytes as usize);
    }
    Ok(())
}

fn ok(failure: *mut Failure) -> Result<(), *mut Failure> {
    if failure.is_null() {
        Ok(())
    } else {
        Err(failure)
    }
}

fn failed(text: &str) -> *mut Failure {
    refused(api::INTERNAL, text)
}

fn refused(code: c_int, text: &str) -> *mut Failure {
    let text = CString::new(text).unwrap_or_default();
    // SAFETY: Triton copies the text, which ends with a zero.
    unsafe { api::failure_new(code, text.as_ptr()) }
}
