//! What becomes of a 401 after which the credentials were to give another value.

use super::{Attempted, Call};

impl<B> Call<B> {
    /// Keeps a 401, and with the request what was refused, so that it isn't sent again.
    pub(super) fn keep_refused(&mut self, result: Attempted) {
        #[cfg(feature = "auth")]
        let result = result.map(|mut response| {
            if let Some(refused) = response.extensions_mut().remove::<crate::auth::Refused>() {
                self.request.extensions_mut().insert(refused);
            }
            response
        });
        self.refused = Some(Box::new(result));
    }

    /// Puts the 401 in the place of an attempt that wasn't sent, since it would have carried the same. Otherwise it is over.
    pub(super) fn let_a_401_stand(&mut self, result: &mut Attempted) {
        let Some(refused) = self.refused.take() else { return };
        #[cfg(feature = "auth")]
        if let Err(error) = result
            && crate::own_sources(&**error).any(|error| error.is::<crate::auth::RefusedAgain>())
        {
            *result = *refused;
        }
        #[cfg(not(feature = "auth"))]
        let _ = (refused, result);
    }
}
