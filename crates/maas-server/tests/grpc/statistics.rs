//! What became of requests.

use futures_util::stream::{self, StreamExt};
use maas_server::Server;
use tonic::Code;

use crate::calls::{infer, panicking, raw, serve};
use crate::proto::ModelStatisticsRequest;
use crate::proto::infer_parameter::ParameterChoice;
use crate::told::{Told, told};

#[tokio::test]
async fn statistics_count_rows_and_runs() {
    let server = Server::new().model("sums", panicking()).model("told", Told);
    let (server, mut client) = serve(server).await;
    for values in [&[1.0, 2.0][..], &[1.0, 2.0, 3.0, 4.0]] {
        infer(&mut client, raw(values)).await.unwrap();
    }
    infer(&mut client, raw(&[-1.0, 2.0])).await.unwrap_err();
    let of = |name: &str, version: &str| ModelStatisticsRequest {
        name: name.to_owned(),
        version: version.to_owned(),
    };
    for (name, version) in [("sums", ""), ("sums", "1")] {
        let answer = client
            .model_statistics(of(name, version))
            .await
            .unwrap()
            .into_inner();
        let [stats] = &answer.model_stats[..] else {
            panic!("{answer:?}");
        };
        assert_eq!((&*stats.name, &*stats.version), ("sums", "1"));
        assert_eq!((stats.inference_count, stats.execution_count), (3, 2));
        let of_requests = stats.inference_stats.as_ref().unwrap();
        assert_eq!(of_requests.success.unwrap().count, 2);
        assert_eq!(of_requests.fail.unwrap().count, 1);
        assert_eq!(stats.batch_stats.len(), 2);
    }
    // Those of streams count as others do; what is answered in pieces counts once.
    let requests = [
        told("count", ParameterChoice::Int64Param(3)),
        told("count", ParameterChoice::Int64Param(0)),
        told("panic", ParameterChoice::BoolParam(true)),
    ];
    let answers = client
        .model_stream_infer(stream::iter(requests))
        .await
        .unwrap();
    assert_eq!(answers.into_inner().count().await, 4);
    let answer = client.model_statistics(of("told", "")).await.unwrap();
    let of_requests = answer.into_inner().model_stats[0].inference_stats.unwrap();
    assert_eq!(of_requests.success.unwrap().count, 2);
    assert_eq!(of_requests.fail.unwrap().count, 1);

    let all = client
        .model_statistics(of("", ""))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(all.model_stats.len(), 2);
    let error = client.model_statistics(of("none", "")).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    server.shutdown().await.unwrap();
}
