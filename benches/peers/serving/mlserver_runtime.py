"""The network as a runtime of MLServer."""

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse

from session import load


class Runtime(MLModel):
    async def load(self):
        self.network = load(self.settings.parameters.uri)
        return True

    async def predict(self, payload):
        (given,) = payload.inputs
        output = NumpyCodec.encode_output("output", self.network(NumpyCodec.decode_input(given)))
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=[output])
