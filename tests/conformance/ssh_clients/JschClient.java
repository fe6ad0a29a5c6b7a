import com.jcraft.jsch.ChannelExec;
import com.jcraft.jsch.ChannelSftp;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.Session;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.net.Socket;
import java.util.Arrays;

/** The JSch fork: PORT KEY FILE ECHO, as each client here. */
public final class JschClient {
    public static void main(String[] given) throws Exception {
        JSch jsch = new JSch();
        jsch.addIdentity(given[1]);
        Session session = jsch.getSession("person", "127.0.0.1", Integer.parseInt(given[0]));
        session.setConfig("StrictHostKeyChecking", "no");
        session.connect(60_000);

        byte[] sent = new byte[300_000];
        Arrays.fill(sent, (byte) 'x');
        ChannelSftp files = (ChannelSftp) session.openChannel("sftp");
        files.connect(60_000);
        files.put(new ByteArrayInputStream(sent), given[2]);
        ByteArrayOutputStream back = new ByteArrayOutputStream();
        files.get(given[2], back);
        files.disconnect();
        if (!Arrays.equals(sent, back.toByteArray())) {
            throw new IllegalStateException("another file came back");
        }

        int near = session.setPortForwardingL("127.0.0.1", 0, "127.0.0.1", Integer.parseInt(given[3]));
        try (Socket socket = new Socket("127.0.0.1", near)) {
            socket.getOutputStream().write("forwarded\n".getBytes());
            System.out.write(socket.getInputStream().readNBytes(10));
        }

        ChannelExec command = (ChannelExec) session.openChannel("exec");
        command.setCommand("cat; exit 9");
        command.setInputStream(new ByteArrayInputStream("words\n".getBytes()));
        command.setOutputStream(System.out, true);
        command.connect(60_000);
        while (!command.isClosed()) {
            Thread.sleep(10);
        }
        System.out.flush();
        session.disconnect();
        System.exit(command.getExitStatus());
    }
}
