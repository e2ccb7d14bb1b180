//! What of Triton's interface of backends is used here, declared as its manual of the C interface, version 1, has it.

use std::ffi::{c_char, c_int, c_void};

macro_rules! opaque {
    ($($name:ident),*) => { $(#[repr(C)] pub struct $name { _private: [u8; 0] })* };
}

opaque!(Failure, Loaded, Instance, Asked, Input, Reply, Output);

pub(super) const INTERNAL: c_int = 1;
pub(super) const INVALID_ARGUMENT: c_int = 3;
pub(super) const FP32: c_int = 11;
pub(super) const CPU: c_int = 0;
/// Of a reply that is the last one, and of a request that is given back whole.
pub(super) const FINAL: u32 = 1;
pub(super) const ALL: u32 = 1;

unsafe extern "C" {
    #[link_name = "TRITONSERVER_ErrorNew"]
    pub(super) fn failure_new(code: c_int, text: *const c_char) -> *mut Failure;

    #[link_name = "TRITONBACKEND_ModelRepository"]
    pub(super) fn model_folder(
        model: *mut Loaded,
        kind: *mut c_int,
        folder: *mut *const c_char,
    ) -> *mut Failure;

    #[link_name = "TRITONBACKEND_ModelState"]
    pub(super) fn model_state(model: *mut Loaded, state: *mut *mut c_void) -> *mut Failure;

    #[link_name = "TRITONBACKEND_ModelSetState"]
    pub(super) fn set_model_state(model: *mut Loaded, state: *mut c_void) -> *mut Failure;

    #[link_name = "TRITONBACKEND_ModelInstanceModel"]
    pub(super) fn model_of(instance: *mut Instance, model: *mut *mut Loaded) -> *mut Failure;

    #[link_name = "TRITONBACKEND_RequestInputByIndex"]
    pub(super) fn input_of(asked: *mut Asked, index: u32, input: *mut *mut Input) -> *mut Failure;

    #[link_name = "TRITONBACKEND_InputProperties"]
    pub(super) fn input_properties(
        input: *mut Input,
        name: *mut *const c_char,
        datatype: *mut c_int,
        shape: *mut *const i64,
        dimensions: *mut u32,
        bytes: *mut u64,
        buffers: *mut u32,
    ) -> *mut Failure;

    #[link_name = "TRITONBACKEND_InputBuffer"]
    pub(super) fn input_buffer(
        input: *mut Input,
        index: u32,
        buffer: *mut *const c_void,
        bytes: *mut u64,
        memory: *mut c_int,
        memory_id: *mut i64,
    ) -> *mut Failure;

    #[link_name = "TRITONBACKEND_RequestRelease"]
    pub(super) fn give_back(asked: *mut Asked, flags: u32) -> *mut Failure;

    #[link_name = "TRITONBACKEND_ResponseNew"]
    pub(super) fn reply_new(reply: *mut *mut Reply, asked: *mut Asked) -> *mut Failure;

    #[link_name = "TRITONBACKEND_ResponseOutput"]
    pub(super) fn reply_output(
        reply: *mut Reply,
        output: *mut *mut Output,
        name: *const c_char,
        datatype: c_int,
        shape: *const i64,
        dimensions: u32,
    ) -> *mut Failure;

    #[link_name = "TRITONBACKEND_OutputBuffer"]
    pub(super) fn output_buffer(
        output: *mut Output,
        buffer: *mut *mut c_void,
        bytes: u64,
        memory: *mut c_int,
        memory_id: *mut i64,
    ) -> *mut Failure;

    #[link_name = "TRITONBACKEND_ResponseSend"]
    pub(super) fn send(reply: *mut Reply, flags: u32, failure: *mut Failure) -> *mut Failure;
}
