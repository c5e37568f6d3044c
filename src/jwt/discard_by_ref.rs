//! A discard of an id that somebody else owns.

use std::borrow::Cow;
use std::marker::PhantomData;

use magicbell_middleware::Operation;

use super::{DiscardTokenResponse, validation};
use crate::endpoint::{Answer, Endpoint};
use crate::error::{DecodeError, InvalidRequest};

/// The discard `E`, of an id that somebody else owns: for a batch, which keeps each id, and would copy it otherwise.
pub(crate) struct DiscardByRef<'a, E> {
    token_id: &'a str,
    operation: PhantomData<E>,
}

impl<'a, E> DiscardByRef<'a, E> {
    pub(crate) fn new(token_id: &'a str) -> Self {
        Self { token_id, operation: PhantomData }
    }
}

impl<E: Endpoint<Response = DiscardTokenResponse>> Endpoint for DiscardByRef<'_, E> {
    type Response = DiscardTokenResponse;
    const OPERATION: Operation = E::OPERATION;

    fn validate(&self) -> Result<(), InvalidRequest> {
        validation::token_id(self.token_id)
    }

    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        (name == "token_id").then_some(Cow::Borrowed(self.token_id))
    }

    fn decode(answer: &Answer<'_>) -> Result<DiscardTokenResponse, DecodeError> {
        E::decode(answer)
    }
}
