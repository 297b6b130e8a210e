//! The socket in the data folder.

#[cfg(unix)]
pub(super) use self::unix::ask;
#[cfg(unix)]
pub(crate) use self::unix::serve;

#[cfg(not(unix))]
pub(super) use self::elsewhere::ask;
#[cfg(not(unix))]
pub(crate) use self::elsewhere::serve;

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::time::Duration;

    use mynah_serve::FailedAccepts;
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
    use tokio::net::{UnixListener, UnixStream};
    use tokio::sync::Semaphore;
    use tokio_util::sync::CancellationToken;

    use crate::boxed::boxed;
    use crate::operate::{Answer, Asked, OperatorApi};
    use crate::{Ended, Report};

    /// A request is a few lines of text at most.
    const LONGEST: u64 = 1 << 20;

    /// Only the owner of the data folder can connect: more than their commands and scripts need.
    const AT_ONCE: usize = 32;

    /// How long either side may take.
    const PATIENCE: Duration = Duration::from_secs(30);

    fn path_in(data: &Path) -> PathBuf {
        data.join("mynah.sock")
    }

    /// Answers requests until stopped. The caller holds the lease of the folder, so a socket found there is a leftover.
    pub(crate) async fn serve(
        data: PathBuf,
        operator_api: Arc<OperatorApi>,
        stop: CancellationToken,
    ) {
        let path = path_in(&data);
        let listener = match listen(&path) {
            Ok(listener) => listener,
            Err(error) => {
                let path = path.display();
                tracing::warn!(%error, %path, "status, send and logout cannot reach this process");
                return;
            }
        };
        stop.run_until_cancelled(accept_all(&listener, &operator_api)).await;
        // The next start removes it otherwise.
        let _ = std::fs::remove_file(path);
    }

    /// Answers requests, a bounded number at once.
    async fn accept_all(listener: &UnixListener, operator_api: &Arc<OperatorApi>) {
        let (failed, places) = (FailedAccepts::default(), Arc::new(Semaphore::new(AT_ONCE)));
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let work = attend(stream, Arc::clone(operator_api));
                    tokio::spawn(boxed(async move {
                        work.await;
                        drop(place);
                    }));
                }
                Err(error) => failed.pause(&error).await,
            }
        }
    }

    fn listen(path: &Path) -> io::Result<UnixListener> {
        // An account with its data in a database may have no folder yet.
        if let Some(folder) = path.parent() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        if let Err(error) = std::fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    }

    async fn attend(stream: UnixStream, operator_api: Arc<OperatorApi>) {
        let work = async {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            (&mut stream).take(LONGEST).read_line(&mut line).await?;
            let answer = match serde_json::from_str(&line) {
                Ok(asked) => operator_api.asked(asked).await,
                Err(_) => Answer::refused(
                    "this request is not known here: another version of the program",
                ),
            };
            let answer = serde_json::to_string(&answer)? + "\n";
            stream.get_mut().write_all(answer.as_bytes()).await
        };
        if let Ok(Err(error)) = tokio::time::timeout(PATIENCE, work).await {
            tracing::debug!(%error, "a request was broken off");
        }
    }

    /// Asks the process that works with this data; `None` if there is none.
    pub(crate) async fn ask(data: &Path, request: &Asked) -> Result<Option<Answer>, Report> {
        use io::ErrorKind::{ConnectionRefused, NotADirectory, NotFound};
        match tokio::time::timeout(PATIENCE, talk(&path_in(data), request)).await {
            Ok(Ok(answer)) => Ok(Some(answer)),
            Ok(Err(error))
                if matches!(error.kind(), NotFound | ConnectionRefused | NotADirectory) =>
            {
                Ok(None)
            }
            Ok(Err(error)) => {
                let is_denied = error.kind() == io::ErrorKind::PermissionDenied;
                let report = Report::new(Ended::Storage, failed(data)).because(error);
                Err(if is_denied {
                    report.hint("run this command as the user of the bot")
                } else {
                    report
                })
            }
            Err(_) => Err(Report::new(Ended::Storage, failed(data)).hint("it does not answer")),
        }
    }

    fn failed(data: &Path) -> String {
        format!("failed to ask the process that works with {}", data.display())
    }

    async fn talk(path: &Path, request: &Asked) -> io::Result<Answer> {
        let mut stream = UnixStream::connect(path).await?;
        let request = serde_json::to_string(request)? + "\n";
        stream.write_all(request.as_bytes()).await?;
        let mut line = String::new();
        BufReader::new(stream).take(LONGEST).read_line(&mut line).await?;
        Ok(serde_json::from_str(&line)?)
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use tokio_util::sync::CancellationToken;

    use crate::Report;
    use crate::operate::{Answer, Asked, OperatorApi};

    /// There is no such socket here: `status` and the others work on the data of a stopped bot only.
    pub(crate) async fn serve(_data: PathBuf, _desk: Arc<OperatorApi>, stop: CancellationToken) {
        stop.cancelled().await;
    }

    /// No process can be asked.
    #[expect(clippy::unused_async, reason = "the same shape as where there are sockets")]
    pub(crate) async fn ask(_data: &Path, _request: &Asked) -> Result<Option<Answer>, Report> {
        Ok(None)
    }
}
